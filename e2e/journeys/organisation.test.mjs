import assert from "node:assert/strict";
import { journey } from "../lib/journey.mjs";
import { administrator } from "../lib/server.mjs";

async function signIn(page) {
  await page.goto("/login");
  await page.locator("[name=username]").fill(administrator.username);
  await page.locator("[name=password]").fill(administrator.password);
  await page.locator("[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname === "/");
}

// A searchable select: typed into, chosen with Enter.
async function pick(page, name, words, shown = words) {
  const input = page.locator(`#f-${name}`);
  await input.click();
  await input.fill(words);
  await page.locator(`#o-${name} [role=option][aria-selected=true]`, { hasText: shown }).waitFor();
  await input.press("Enter");
  await page.waitForFunction(([id, text]) => document.getElementById(id).value.includes(text), [`f-${name}`, shown]);
}

const branch = (page, name) => page.locator("[role=treeitem]", { has: page.locator(".ellipsis", { hasText: name }) }).first();
const drawerIsClosed = (page) => page.locator("#drawer[hidden]").waitFor({ state: "attached" });

async function addUnit(page, name, kind, parent) {
  await page.goto("/admin/units");
  await page.locator(".page-head a", { hasText: "新增部门" }).click();
  await page.locator("#unit-form #f-name").fill(name);
  await page.locator("#f-kind").selectOption({ label: kind });
  if (parent) await pick(page, "parent_id", parent);
  await page.locator("#unit-form button[type=submit]").click();
  await drawerIsClosed(page);
  await branch(page, name).waitFor();
}

async function join(page, name, username, unit, post) {
  await page.goto("/admin/units");
  await page.locator(".page-head a", { hasText: "办理入职" }).click();
  await page.locator("#join-form #f-name").fill(name);
  await page.locator("#f-username").fill(username);
  await pick(page, "unit_id", unit);
  await pick(page, "post", post);
  await page.locator("#join-form button[type=submit]").click();
  await page.locator("#join-card code.secret").waitFor();
}

journey("an organisation is built, a unit moves, a colleague joins and another leaves with a hand-over", { setup: true }, async (tools) => {
  const { page, server, shot } = tools;
  await signIn(page);
  await page.goto("/admin/units");
  await page.getByText("还没有部门").waitFor();
  await shot("units-empty");

  await addUnit(page, "天江集团", "集团");
  await addUnit(page, "物业公司", "公司", "天江集团");
  await addUnit(page, "一管理处", "管理处", "天江集团");
  await addUnit(page, "客服部", "部门", "物业公司");
  await shot("units-tree");

  // Moved below the property company, the office stands one level deeper.
  assert.equal(await branch(page, "一管理处").getAttribute("aria-level"), "2");
  await branch(page, "一管理处").locator("a").click();
  await page.locator(".unit-name h2", { hasText: "一管理处" }).waitFor();
  await page.locator(".unit-head a", { hasText: "移动" }).click();
  await pick(page, "parent_id", "物业", "物业公司");
  await page.locator("#unit-form button[type=submit]").click();
  await drawerIsClosed(page);
  await page.locator('[role=treeitem][aria-level="3"]', { hasText: "一管理处" }).waitFor();

  // The arrows walk the tree, fold it and unfold it.
  await branch(page, "物业公司").locator("a").focus();
  await page.keyboard.press("ArrowLeft");
  await branch(page, "一管理处").waitFor({ state: "hidden" });
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /一管理处|客服部/);

  await join(page, "李小明", "lixiaoming", "客服部", "客服主管");
  await shot("join-done");
  await join(page, "王芳芳", "wangfangfang", "一管理处", "客服人员");
  await page.goto("/admin/units");
  await page.locator("tbody tr", { hasText: "王芳芳" }).waitFor();
  await shot("units-people");

  // The person's page shows the post; a second one is added.
  await page.locator("tbody tr", { hasText: "李小明" }).locator("a.name").click();
  await page.locator("#drawer .hang", { hasText: "客服主管" }).waitFor();
  await page.locator("#drawer .hang button", { hasText: "添加岗位" }).click();
  await pick(page, "unit_id", "一管理处");
  await pick(page, "post", "档案专管", "档案专管人员");
  await page.locator("#drawer .hang form button[type=submit]").click();
  await page.locator("#drawer .hang td", { hasText: "档案专管人员" }).waitFor();
  await shot("person-posts");

  // Customers of his, made by the administrator's token.
  const token = server.kehu(["token", "new", "--user", administrator.username, "--name", "e2e"]).trim().split("\n").at(-1);
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const people = await (await fetch(`${server.url}/api/v1/people`, { headers })).json();
  const li = people.items.find((person) => person.name === "李小明");
  for (const name of ["广州天江科技有限公司", "苏州华衡精密机械厂"]) {
    const body = JSON.stringify({ kind: "organisation", name, owner_id: li.id });
    const answer = await fetch(`${server.url}/api/v1/customers`, { method: "POST", headers, body });
    assert.equal(answer.status, 201, await answer.text());
  }

  await page.goto(`/admin/people/${li.id}/leave`);
  await page.getByText("负责 2 个客户").waitFor();
  await pick(page, "taker", "王芳芳");
  await shot("leave");
  await page.locator("#flow-form button[type=submit]").click();
  await page.locator("#confirm[open] [data-role=yes]").click();
  await page.waitForURL(new RegExp(`/admin/people/${li.id}`));
  await page.locator(".hang", { hasText: "已离职，最后工作日" }).waitFor();
  const owned = await (await fetch(`${server.url}/api/v1/customers`, { headers })).json();
  const wang = people.items.find((person) => person.name === "王芳芳");
  assert.deepEqual(owned.items.map((customer) => customer.owner_id), [wang.id, wang.id]);
  await shot("left");

  await page.goto("/admin/organisation/import");
  await shot("organisation-import");
  await page.locator("input[type=file]").setInputFiles({
    name: "部门.csv", mimeType: "text/csv", buffer: Buffer.from("部门名称,上级部门,部门类型\n二管理处,物业公司,管理处\n三管理处,没有的,管理处\n"),
  });
  await page.locator("form button[type=submit]", { hasText: "检查" }).click();
  await page.getByText("没有找到上级部门“没有的”").waitFor();
  await shot("organisation-import-errors");
});
