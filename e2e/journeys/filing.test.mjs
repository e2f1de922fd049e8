import assert from "node:assert/strict";
import { action, as, company, day, fill, pick, send, stands } from "../lib/company.mjs";
import { journey } from "../lib/journey.mjs";

const plan = {
  units: {
    group: { name: "岭岳制造", kind: "company", head: "gao" },
    sales: { name: "业务一部", kind: "department", in: "group", head: "qiu" },
    marketing: { name: "市场推广部", kind: "department", in: "group" },
    finance: { name: "财务部", kind: "department", in: "group" },
  },
  people: {
    chen: { name: "陈小东", at: "sales", post: "sales_staff" },
    qiu: { name: "邱建国", at: "sales", post: "department_manager" },
    he: { name: "何晓丽", at: "marketing", post: "customer_information_specialist" },
    jin: { name: "金明", at: "finance", post: "finance_staff" },
    gao: { name: "高志远", at: "group", post: "general_manager" },
  },
  policies: ["vip-customers"],
};

const factory = "东莞东方机械厂";
const press = (page, name) => page.locator("#case-card").getByRole("button", { name, exact: true }).first().click();
const refused = (scope, words) => scope.locator(".field-error, .form-errors").filter({ hasText: words }).first().waitFor();
const submit = (box) => box.locator("button[type=submit]").last().click();
const listed = (page) => page.locator("#list tbody tr");

// The list, looked at until it holds this: what an event causes comes a moment later.
async function until(page, address, words) {
  for (const end = Date.now() + 90_000; Date.now() < end;) {
    await page.goto(address);
    if (await listed(page).filter({ hasText: words }).count()) return;
    await page.waitForTimeout(500);
  }
  throw new Error(`${address} does not show ${words}`);
}

async function claim(page, cells) {
  await page.goto("/cases/new/expense");
  await pick(page, "v.customer", factory);
  const line = page.locator("#case-form");
  await line.locator('[name="v.lines.0.kind"]').selectOption(cells.kind);
  await line.locator('[name="v.lines.0.on"]').fill(day(0));
  await line.locator('[name="v.lines.0.note"]').fill(cells.note);
  await line.locator('[name="v.lines.0.amount"]').fill(cells.amount);
}

// covers: VF-04, VF-20, VF-22, VF-24
journey("a new customer is filed by its clock, and what it cost is paid only then", { setup: true }, async ({ page, server, shot }) => {
  await company(server, plan);

  // A customer is met: the form for its filing is there by itself, with five working days on it.
  await as(page, "chen");
  await page.goto("/customers/new?kind=organisation");
  await page.locator("#f-name").fill(factory);
  await page.keyboard.press("Control+Enter");
  await page.waitForURL(/\/customers\/[0-9A-Z]{13}/);
  const customer = new URL(page.url()).pathname;
  await until(page, "/cases", `${factory} 备案`);
  await shot("filing-todo");
  await listed(page).getByRole("link", { name: `${factory} 备案` }).click();
  await page.locator("#drawer .case-deadlines", { hasText: "新客户备案" }).waitFor();
  await page.locator("#drawer [data-drawer-full]").click();
  await page.waitForURL((url) => url.pathname.startsWith("/cases/"));
  const home = new URL(page.url()).pathname;
  await page.locator("summary", { hasText: "怎样算出来的" }).click();
  await shot("filing-opened");
  await page.goto(`${customer}?tab=cases`);
  await page.locator(".hang tr", { hasText: "填写基本信息" }).waitFor();
  await shot("customer-cases");

  // Lunch with a customer that is not filed: nobody pays, and the clause says so.
  await claim(page, { kind: "招待", note: "午餐", amount: "680" });
  await shot("expense-form");
  await submit(page.locator("#case-form"));
  await refused(page, /没有在市场推广部备案.*1\.8-1/);
  await shot("expense-refused");

  // Seven things are to be written; each is missed.
  await page.goto(home);
  let form = await action(page, "submit-filing");
  const seven = {
    customer_name: factory, class: "重点客户", nature: "国有企业", parent_body: "无", address: "东莞市东方路18号",
    contact: "吴厂长", phone: "0769-55550012",
  };
  await submit(form);
  for (const field of Object.keys(seven)) {
    await form.locator(`.field:has([name="v.${field}"]) .field-error`, { hasText: "请填写" }).waitFor();
  }
  await fill(form, { ...seven, phone: "12" });
  await submit(form);
  await form.locator('.field:has([name="v.phone"]) .field-error', { hasText: /./ }).waitFor();
  await shot("filing-refused");
  await fill(form, { phone: "0769-55550012", relations: "每月采购轴承" });
  await send(page, form, "部门经理审核");
  await as(page, "qiu");
  await page.goto(home);
  await page.locator("#case-decision").getByRole("button", { name: "同意" }).click();
  await stands(page, "市场推广部备案");
  await as(page, "chen");
  await claim(page, { kind: "招待", note: "午餐", amount: "680" });
  await submit(page.locator("#case-form"));
  await refused(page, "没有在市场推广部备案");

  // Marketing sends it back once, then gives it a number; the one who filed it is told.
  await as(page, "he");
  await page.goto(home);
  const back = await action(page, "return-filing");
  await fill(back, { return_reason: "主管单位请核实" });
  await send(page, back, "填写基本信息");
  await as(page, "chen");
  await page.goto(home);
  form = await action(page, "submit-filing");
  await fill(form, { parent_body: "东莞市国资委" });
  await send(page, form, "部门经理审核");
  await as(page, "qiu");
  await page.goto(home);
  await page.locator("#case-decision").getByRole("button", { name: "同意" }).click();
  await stands(page, "市场推广部备案");
  await as(page, "he");
  await page.goto(home);
  const accept = await action(page, "accept");
  await submit(accept);
  await refused(accept, "查重结论");
  await fill(accept, { duplicate_check: "没有重复" });
  await shot("filing-review");
  await send(page, accept, "已备案");
  await page.locator(".facts", { hasText: /BA-\d{4}-0001/ }).waitFor();
  await as(page, "chen");
  await page.goto("/notices");
  await page.locator(".notice-list", { hasText: "备案号" }).waitFor();
  await page.getByRole("button", { name: "全部标为已读" }).click();
  await page.getByText("没有未读的消息").waitFor();
  await shot("notices-none");

  // Now the lunch is paid: the department, the check, the money.
  await claim(page, { kind: "招待", note: "午餐", amount: "680" });
  await submit(page.locator("#case-form"));
  await page.waitForURL((url) => /^\/cases\/[0-9A-Z]{13}$/.test(url.pathname));
  const lunch = new URL(page.url()).pathname;
  await stands(page, "部门审批");
  await as(page, "qiu");
  await page.goto(lunch);
  await page.locator("#case-decision").getByRole("button", { name: "同意" }).click();
  await stands(page, "备案核对");
  await as(page, "jin");
  await page.goto(lunch);
  assert.equal(await page.getByRole("button", { name: "付款" }).count(), 0);
  await as(page, "he");
  await page.goto(lunch);
  await press(page, "核对备案");
  await stands(page, "财务审核付款");
  await as(page, "jin");
  await page.goto(lunch);
  await shot("expense-finance");
  await press(page, "付款");
  await stands(page, "已付款");
  await page.locator(".facts", { hasText: day(0) }).waitFor();
  await shot("expense-paid");
});
