import assert from "node:assert/strict";
import { journey } from "../lib/journey.mjs";
import { administrator } from "../lib/server.mjs";

// Signs in and makes customers as a program would.
async function begin({ page, server }, customers) {
  const printed = server.kehu(["token", "new", "--user", administrator.username, "--name", "e2e"]);
  const token = printed.trim().split("\n").at(-1);
  for (const customer of customers) {
    const answer = await fetch(`${server.url}/api/v1/customers`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify(customer),
    });
    assert.equal(answer.status, 201, await answer.text());
  }
  await page.goto("/login");
  await page.locator("[name=username]").fill(administrator.username);
  await page.locator("[name=password]").fill(administrator.password);
  await page.locator("[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname === "/");
}

const many = Array.from({ length: 24 }, (_, n) => ({
  kind: n % 3 ? "organisation" : "person",
  name: n % 3 ? `苏州华衡精密机械${n}厂` : `王建国${n}`,
  class: n % 4 ? "general" : "key",
  level: "ABCD"[n % 4],
  phone: `138123400${String(n).padStart(2, "0")}`,
  region: n % 2 ? "江苏省/苏州市" : "浙江省/杭州市",
}));

// covers: GM-03
// covers: VF-03
journey("a customer is made with the keyboard, changed in place, found by a filter and tagged with others", { setup: true }, async (tools) => {
  const { page, shot } = tools;
  await begin(tools, many);
  await page.goto("/customers");
  await page.getByText("共 24 条").waitFor();
  await shot("customers");

  // C opens the form, the name has the focus, Ctrl+Enter sends.
  await page.keyboard.press("c");
  await page.waitForURL("**/customers/new");
  await page.locator("#f-name:focus").waitFor();
  // Another character for the same sound: the one that is meant is shown.
  await page.keyboard.type("苏州华恒精密机械1厂");
  await page.keyboard.press("Tab");
  await page.locator("#duplicates", { hasText: "苏州华衡精密机械1厂" }).waitFor();
  await page.locator("#duplicates", { hasText: "名称读音相同" }).waitFor();
  await shot("customer-alike");
  await page.locator("#f-name").fill("广州天江水务设备有限公司");
  await page.locator("#f-phone").focus();
  await page.keyboard.type("1381234");
  await page.keyboard.press("Tab");
  await page.locator("#e-phone", { hasText: /./ }).waitFor();
  await page.locator("#f-phone").fill("13812340003");
  await page.keyboard.press("Tab");
  await page.locator("#duplicates", { hasText: "联系电话相同" }).waitFor();
  await page.locator("#f-phone").fill("13712345678");
  await page.locator("#f-region").focus();
  await page.keyboard.type("tianhe");
  await page.locator("#o-region [role=option]", { hasText: "天河区" }).first().waitFor();
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("[name=region]").inputValue(), "广东省/广州市/天河区");
  await shot("customer-form");
  await page.locator("#f-name").focus();
  await page.keyboard.press("Control+Enter");
  await page.waitForURL(/\/customers\/[0-9A-Z]{13}\?saved=1/);
  await page.locator(".toast-item", { hasText: "已保存" }).waitFor();
  await shot("customer-page");

  // In place: Enter opens the field, Enter saves, the head follows.
  const level = page.locator(".facts [data-edit$='/fields/level']");
  await level.focus();
  await page.keyboard.press("Enter");
  await level.locator("select").selectOption("A");
  await level.locator("button[type=submit]").click();
  await page.locator(".customer-head .pill", { hasText: "A级" }).waitFor();
  const name = page.locator(".facts [data-edit$='/fields/name']");
  await name.focus();
  await page.keyboard.press("e");
  await name.locator("input[name=name]").fill("广州天江水务科技有限公司");
  await page.keyboard.press("Enter");
  await page.locator(".customer-head h2", { hasText: "广州天江水务科技有限公司" }).waitFor();
  const tags = page.locator(".facts [data-edit$='/fields/tags']");
  await tags.click();
  // The form comes from the server: what is typed before it is there goes nowhere.
  await tags.locator("input[type=text]").fill("水务");
  await page.keyboard.press("Enter");
  await tags.locator("button[type=submit]").click();
  await tags.locator(".pill", { hasText: "水务" }).waitFor();
  await page.getByRole("link", { name: "变更记录" }).click();
  await page.locator(".change del", { hasText: "广州天江水务设备有限公司" }).waitFor();
  await shot("customer-history");

  // Filters stand in the address; the list remembers them.
  await page.goto("/customers");
  // Several values of one, with the keyboard: Enter opens, arrows and blank choose, Escape asks.
  await page.locator("#q-level > summary").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await page.keyboard.press("Escape");
  await page.waitForURL(/level=A&level=B/);
  await page.getByText("共 13 条").waitFor();
  await page.locator("#q-level > summary", { hasText: "A级、B级" }).waitFor();
  await page.locator("#filters [data-reset]").click();
  await page.getByText("共 25 条").waitFor();
  await page.locator("#q-class > summary").click();
  await page.locator("#q-class").getByLabel("重点客户").check();
  await page.locator("#q-class > summary").click();
  await page.getByText("共 6 条").waitFor();
  assert.match(page.url(), /class=key/);
  await page.locator("tbody tr").first().locator("a.name").click();
  await page.locator("#drawer .customer-head").waitFor();
  await page.locator("#drawer").getByRole("link", { name: "变更记录" }).click();
  await page.locator("#drawer .timeline-k").waitFor();
  await shot("customer-drawer");
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "工作台" }).first().click();
  await page.waitForURL((url) => url.pathname === "/");
  await page.locator(".side").getByRole("link", { name: "客户", exact: true }).click();
  await page.getByText("共 6 条").waitFor();

  // Saved under a name.
  await page.locator("#views > summary").click();
  await page.locator("#view-name").fill("重点");
  await page.locator("#view-name").press("Enter");
  await page.locator(".toast-item", { hasText: "已保存方案" }).waitFor();

  // A cell is changed in the list.
  const cell = page.locator("tbody tr").first().locator("td[data-edit*='/fields/level']");
  await cell.click();
  await cell.locator("select").selectOption("D");
  await cell.locator("button[type=submit]").click();
  await cell.locator(".pill", { hasText: "D级" }).waitFor();

  // Two rows and a tag.
  await page.locator("tbody [data-select]").nth(0).check();
  await page.locator("tbody [data-select]").nth(1).check();
  const bar = page.locator("[data-select-bar]");
  await shot("customers-batch");
  await bar.locator("summary", { hasText: "标签" }).click();
  await bar.locator("[name=tag]").fill("回访");
  await bar.getByRole("button", { name: "打标签" }).click();
  await page.locator(".toast-item", { hasText: "成功 2 条" }).waitFor();
  await page.goto("/customers?tag=回访");
  await page.getByText("共 2 条").waitFor();

  // Deleted, and taken back by the toast.
  await page.locator("tbody tr").first().locator(".col-act summary").click();
  await page.locator(".col-act .menu-item.danger").first().click();
  await page.locator("#confirm [data-role=yes]").click();
  await page.getByText("共 1 条").waitFor();
  await page.locator(".toast-item .undo").click();
  await page.getByText("共 2 条").waitFor();
});

journey("an empty list says how to begin, also on a phone", { setup: true, context: { viewport: { width: 390, height: 844 } } }, async (tools) => {
  const { page, shot } = tools;
  await begin(tools, []);
  await page.goto("/customers");
  await page.getByText("还没有客户").waitFor();
  await shot("customers-empty");
  await page.getByRole("link", { name: "新增客户" }).first().click();
  await page.locator("#f-name").fill("张三");
  await page.locator("input[name=kind][value=person]").check();
  await page.locator("#f-id_number").waitFor();
  assert.equal(await page.locator("#f-name").inputValue(), "张三");
  await page.getByRole("button", { name: "保存", exact: true }).click();
  await page.waitForURL(/saved=1/);
  await page.goto("/customers");
  await page.locator("tbody tr a.name").click();
  await page.locator("#drawer .customer-head").waitFor();
  await shot("customer-drawer-phone");
});
