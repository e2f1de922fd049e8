import assert from "node:assert/strict";
import { as, company, fill, pick, program } from "../lib/company.mjs";
import { journey } from "../lib/journey.mjs";

const plan = {
  units: {
    group: { name: "岭岳制造", kind: "company", head: "gao" },
    sales: { name: "业务一部", kind: "department", in: "group", head: "qiu" },
    marketing: { name: "市场推广部", kind: "department", in: "group" },
  },
  people: {
    chen: { name: "陈小东", at: "sales", post: "sales_staff" },
    qiu: { name: "邱建国", at: "sales", post: "department_manager" },
    he: { name: "何晓丽", at: "marketing", post: "customer_information_specialist" },
    gao: { name: "高志远", at: "group", post: "general_manager" },
  },
  policies: ["vip-customers"],
};

const card = (page, state) => page.locator("#penalty-card .drawer-meta", { hasText: state }).waitFor();

// covers: VF-21
journey("who is urged again and again is penalised, appeals, and the penalty is taken back", { setup: true }, async ({ page, server, shot }) => {
  const { people } = await company(server, plan);
  const specialist = program(server, "he");
  const urge = { values: { person: people.chen, about: "变动反馈", demand: "请补报联系人的变动" } };
  await specialist("POST", "/api/v1/cases/urge", urge);

  // Once more in the same month, by the page: now the regulation proposes points.
  await as(page, "he");
  await page.goto("/cases/new/urge");
  const form = page.locator("#case-form");
  await pick(page, "v.person", "陈小东");
  await fill(form, { about: "变动反馈", demand: "第二次请补报联系人的变动" });
  await form.locator("button[type=submit]").last().click();
  await page.waitForURL((url) => /^\/cases\/[0-9A-Z]{13}$/.test(url.pathname));

  // It waits for the general manager: on his workbench, in his list, with its clause and how it was reckoned.
  await as(page, "gao");
  await page.goto("/");
  await page.locator('a[href*="/penalties?place=todo"]').first().click();
  await page.locator("#list tbody tr", { hasText: "陈小东" }).waitFor();
  await shot("penalties-todo");
  await page.locator("#list tbody tr", { hasText: "陈小东" }).getByRole("link", { name: "多次督促不配合" }).click();
  await page.locator("#drawer [data-drawer-full]").click();
  await page.waitForURL((url) => /^\/penalties\/[0-9A-Z]{13}$/.test(url.pathname));
  const home = new URL(page.url()).pathname;
  await shot("penalty-proposed");
  await page.locator('[name="note"]').fill("情况属实");
  await page.getByRole("button", { name: "确认处罚" }).click();
  await card(page, "已确认");

  // Whoever it hits is told, and appeals; without a reason he is asked for one, and nothing is lost.
  await as(page, "chen");
  await page.goto("/notices");
  await page.locator("#list", { hasText: "多次督促不配合" }).waitFor();
  await shot("penalty-notices");
  await page.goto("/penalties");
  await page.locator("#list tbody tr", { hasText: "多次督促不配合" }).waitFor();
  await page.goto(home);
  await page.locator("summary", { hasText: "提出申诉" }).click();
  await page.locator("form[action$='/appeal'] button[type=submit]").click();
  await page.locator("form[action$='/appeal'] .field-error").first().waitFor();
  await shot("penalty-appeal");
  await page.locator("form[action$='/appeal'] [name=reason]").fill("当天已电话报备，有通话记录");
  await page.locator("form[action$='/appeal'] button[type=submit]").click();
  await card(page, "申诉中");

  await as(page, "gao");
  await page.goto(home);
  await page.locator("form[action$='/appeal-decision'] [name=reason]").fill("通话记录属实，不作处罚");
  await page.getByRole("button", { name: "采纳申诉，撤销处罚" }).click();
  await card(page, "已撤销");
  await shot("penalty-withdrawn");
  await page.goto("/penalties?place=sums");
  await page.getByText("没有可以合计的处罚").waitFor();
  await shot("penalties-sums");
  assert.equal(await page.locator("#list tbody tr").count(), 0);
});
