import assert from "node:assert/strict";
import { journey } from "../lib/journey.mjs";
import { administrator } from "../lib/server.mjs";

const name = "深圳盛润精密机械有限公司";

// Signs in; answers the path of a customer made as a program would.
async function begin({ page, server }) {
  const printed = server.kehu(["token", "new", "--user", administrator.username, "--name", "e2e"]);
  const token = printed.trim().split("\n").at(-1);
  const answer = await fetch(`${server.url}/api/v1/customers`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ kind: "organisation", name }),
  });
  assert.equal(answer.status, 201);
  await page.goto("/login");
  await page.locator("[name=username]").fill(administrator.username);
  await page.locator("[name=password]").fill(administrator.password);
  await page.locator("[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname === "/");
  return `/customers/${(await answer.json()).id}`;
}

const tab = (page, title) => page.locator(".tabs").getByRole("link", { name: title });
const count = (page, title, n) => tab(page, title).locator(".count", { hasText: new RegExp(`^${n}$`) }).waitFor();
const undo = (page) => page.locator(".toast-item .undo").last().click();

async function addContact(page, values) {
  await page.getByRole("button", { name: "新增联系人" }).click();
  for (const [field, value] of Object.entries(values)) await page.locator(`.hang [name=${field}]`).fill(value);
  await page.locator(".hang").getByRole("button", { name: "保存" }).click();
}

// covers: DS-07
journey("contacts, assets and visits of a customer are added, corrected, deleted and brought back", { setup: true }, async (tools) => {
  const { page, shot } = tools;
  const path = await begin(tools);

  // A contact: what is refused keeps its values and says why at the field.
  await page.goto(`${path}?tab=contacts`);
  await page.getByText("还没有联系人").waitFor();
  await addContact(page, { name: "陈晓燕", title: "采购经理", phone: "1381234" });
  await page.locator("#e-phone", { hasText: /./ }).waitFor();
  await shot("contact-refused");
  await page.locator(".hang [name=phone]").fill("13812345678");
  await page.keyboard.press("Control+Enter");
  await page.locator(".toast-item", { hasText: "联系人已保存" }).waitFor();
  await count(page, "联系人", 1);
  await addContact(page, { name: "吴刚", phone: "020-87654321" });
  await count(page, "联系人", 2);

  // Corrected in its place, made the primary one.
  const wu = page.locator(".hang tr", { hasText: "吴刚" });
  await wu.getByRole("button", { name: "编辑" }).click();
  await page.locator(".hang [name=title]").fill("厂长");
  await page.locator(".hang").getByRole("button", { name: "保存" }).click();
  await wu.filter({ hasText: "厂长" }).waitFor();
  await wu.locator("summary").click();
  await page.getByRole("button", { name: "设为主要联系人" }).click();
  await wu.locator(".pill", { hasText: "主要" }).waitFor();
  await shot("contacts");

  // Deleted; the toast brings it back, the primary one again.
  await wu.locator("summary").click();
  await wu.getByRole("button", { name: "删除" }).click();
  await page.locator("#confirm [data-role=yes]").click();
  await count(page, "联系人", 1);
  await undo(page);
  await wu.locator(".pill", { hasText: "主要" }).waitFor();
  await count(page, "联系人", 2);

  // A vehicle whose plate has a digit too few.
  await tab(page, "资产").click();
  await page.getByText("还没有资产").waitFor();
  await page.getByRole("button", { name: "车辆" }).click();
  await page.locator(".hang [name=plate]").fill("粤B1234");
  await page.locator(".hang [name=brand_model]").fill("比亚迪 汉");
  await page.locator(".hang").getByRole("button", { name: "保存" }).click();
  await page.locator("#e-plate", { hasText: /./ }).waitFor();
  assert.equal(await page.locator(".hang [name=brand_model]").inputValue(), "比亚迪 汉");
  await shot("asset-refused");
  await page.locator(".hang [name=plate]").fill("粤B12345");
  await page.locator(".hang").getByRole("button", { name: "保存" }).click();
  const car = page.locator(".hang tr", { hasText: "粤B12345" });
  await car.waitFor();
  await count(page, "资产", 1);
  await shot("assets");
  await car.getByRole("button", { name: "删除" }).click();
  await page.locator("#confirm [data-role=yes]").click();
  await count(page, "资产", 0);
  await undo(page);
  await car.waitFor();
  await count(page, "资产", 1);

  // A visit with the contact met and the day to call again.
  await tab(page, "动态").click();
  await page.locator(".kind-chips").getByText("拜访", { exact: true }).click();
  await page.locator(".hang [name=body]").fill("到厂里看了新生产线，希望年底前换两台车。");
  await page.locator(".hang-details > summary").click();
  await page.locator(".hang [name=contact_id]").selectOption({ label: "吴刚" });
  await page.locator(".hang [name=next_contact_on]").fill("2027-03-08");
  await page.keyboard.press("Control+Enter");
  const visit = page.locator(".timeline-k > li", { hasText: "看了新生产线" });
  await visit.filter({ hasText: "吴刚" }).waitFor();
  await count(page, "动态", 1);
  await shot("timeline");
  // Taking pictures leaves empty style attributes on folded fields, which the page's policy would refuse to a swap.
  await page.reload();

  // What was done to contacts and assets stands on the same line of time.
  for (const text of ["新增联系人", "删除联系人", "恢复联系人", "新增资产", "恢复资产"]) {
    await page.locator(".timeline-k > li", { hasText: text }).first().waitFor();
  }
  await visit.getByRole("button", { name: "编辑" }).click();
  await page.locator(".hang h3", { hasText: "修改动态" }).waitFor();
  await page.locator(".hang [name=body]").fill("到厂里看了新生产线，年底前换三台车。");
  await page.locator(".hang").getByRole("button", { name: "保存" }).click();
  await visit.filter({ hasText: "三台车" }).waitFor();
  await visit.getByRole("button", { name: "删除" }).click();
  await page.locator("#confirm [data-role=yes]").click();
  await count(page, "动态", 0);
  await undo(page);
  await visit.waitFor();
  await count(page, "动态", 1);

  // The next contact stands in the record, and the customer is found by the plate.
  await tab(page, "基本信息").click();
  await page.locator(".facts", { hasText: "2027-03-08" }).waitFor();
  await page.goto("/customers?q=粤B12345");
  await page.locator("tbody a.name", { hasText: name }).waitFor();
});

journey("on a phone a customer's contact, vehicle and visit are noted in the drawer", { setup: true, context: { viewport: { width: 390, height: 844 }, hasTouch: true } }, async (tools) => {
  const { page, shot } = tools;
  await begin(tools);
  await page.goto("/customers");
  await page.locator("tbody a.name").tap();
  const drawer = page.locator("#drawer");
  await drawer.locator(".customer-head").waitFor();
  await tab(drawer, "联系人").tap();
  await addContact(page, { name: "陈晓燕", phone: "13812345678" });
  await count(drawer, "联系人", 1);
  assert.equal(await drawer.locator("a[href='tel:13812345678']").count(), 1);
  await tab(drawer, "资产").tap();
  await drawer.getByRole("button", { name: "车辆" }).tap();
  await drawer.locator("[name=plate]").fill("粤B12345");
  await drawer.getByRole("button", { name: "保存" }).tap();
  await count(drawer, "资产", 1);
  await shot("drawer-assets-phone");
  await tab(drawer, "动态").tap();
  await drawer.locator(".kind-chips").getByText("拜访", { exact: true }).tap();
  await drawer.locator("[name=body]").fill("上门拜访");
  await drawer.getByRole("button", { name: "保存" }).tap();
  await count(drawer, "动态", 1);
  await drawer.locator(".timeline-k > li", { hasText: "上门拜访" }).waitFor();
  await shot("drawer-timeline-phone");
  // The tab that is open is in sight, also the last one of the row.
  await tab(drawer, "变更记录").tap();
  const open = drawer.locator(".tabs [aria-current]", { hasText: "变更记录" });
  await open.waitFor();
  const box = await open.boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 390, JSON.stringify(box));
});

journey("files appear in their list and are counted as soon as they are sent", { setup: true }, async (tools) => {
  const { page, shot } = tools;
  const path = await begin(tools);
  await page.goto(`${path}?tab=files`);
  await page.getByText("还没有附件").waitFor();
  const file = (name) => ({ name, mimeType: "text/plain", buffer: Buffer.from("x") });
  await page.locator("input[type=file]").setInputFiles([file("合同.txt"), file("名片.txt")]);
  await page.locator(".hang tr", { hasText: "合同.txt" }).waitFor();
  await page.locator(".hang tr", { hasText: "名片.txt" }).waitFor();
  await count(page, "附件", 2);
  assert.equal(await page.getByText("还没有附件").count(), 0);
  await page.locator("input[type=file]").setInputFiles(file("报告.txt"));
  await page.locator(".hang tr", { hasText: "报告.txt" }).waitFor();
  await count(page, "附件", 3);
  await shot("files");
});
