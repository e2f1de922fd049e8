import assert from "node:assert/strict";
import { journey } from "../lib/journey.mjs";
import { administrator } from "../lib/server.mjs";

const password = "Kehu-2026-e2e-staff";

// Calls the API as the administrator.
function program({ server }) {
  const printed = server.kehu(["token", "new", "--user", administrator.username, "--name", "e2e"]);
  const token = printed.trim().split("\n").at(-1);
  return async (method, path, body) => {
    const answer = await fetch(`${server.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
    return answer.status === 204 ? null : answer.json();
  };
}

async function signIn(page, username, word) {
  await page.context().clearCookies();
  await page.goto("/login");
  await page.locator("[name=username]").fill(username);
  await page.locator("[name=password]").fill(word);
  await page.locator("[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname !== "/login");
}

// A colleague signs in for the first time and chooses a password of his own.
async function begin(page, username) {
  await signIn(page, username, password);
  const own = `${password}-own`;
  await page.locator("[name=current]").fill(password);
  await page.locator("[name=password]").fill(own);
  await page.locator("[name=password_again]").fill(own);
  await page.locator("[name=password_again]").press("Enter");
  await page.waitForURL((url) => url.pathname !== "/me/password");
}

async function pick(page, field, words) {
  const box = page.locator(`[data-picker]:has([name="${field}"])`);
  await box.locator("[role=combobox]").fill(words);
  await box.locator("[role=option]", { hasText: words }).first().click();
}

const local = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" });
const day = (days) => local.format(Date.now() + days * 86_400_000);

// covers: DS-04, SD-12
journey("the sales department asks a mine for help; it sees the customer for as long as the task is open", { setup: true }, async (tools) => {
  const { page, shot } = tools;
  const call = program(tools);
  const person = (username, name) => call("POST", "/api/v1/people", { username, name, password, roles: ["staff"] });
  const li = await person("li", "李四");
  const wang = await person("wang", "王五");
  await call("POST", "/api/v1/roles", {
    code: "sharing", name: "可共享", grants: [
      { object: "customer", verb: "read", scope: "own" }, { object: "customer", verb: "share", scope: "own" },
    ],
  });
  await call("POST", `/api/v1/people/${li.id}/roles`, { role: "sharing" });
  const sales = await call("POST", "/api/v1/units", { name: "销售部", kind: "department" });
  const mine = await call("POST", "/api/v1/units", { name: "岭北矿", kind: "mine" });
  await call("POST", `/api/v1/people/${li.id}/positions`, { unit_id: sales.id, post: "sales_staff" });
  await call("POST", `/api/v1/people/${wang.id}/positions`, { unit_id: mine.id, post: "repair_staff" });
  const customer = await call("POST", "/api/v1/customers", { kind: "organisation", name: "华南水泥厂", owner_id: li.id });
  const customerPage = `/customers/${customer.id}`;

  // The giver: from the page of his customer, to a unit.
  await begin(page, "li");
  await page.goto("/assignments");
  await page.getByText("没有要您办的任务").waitFor();
  await shot("assignments-empty");
  await page.goto(`${customerPage}?tab=assignments`);
  await page.getByText("没有关于这位客户的任务").waitFor();
  await shot("customer-tasks-empty");
  await page.goto(customerPage);
  await page.getByRole("link", { name: "交办", exact: true }).last().click();
  await page.locator("#assignment-form").waitFor();
  await page.locator("#assignment-form").getByRole("button", { name: "交办" }).click();
  await page.getByText("请用一句话写明要办的事").first().waitFor();
  await shot("assignment-refused");
  await page.locator("[name=title]").fill("协助客户来矿看样");
  await pick(page, "to", "岭北矿");
  await page.locator("[name=due]").fill(day(2));
  await page.getByRole("radio", { name: "重要" }).check();
  await page.locator("[name=body]").fill("客户采购部两人，想看装车现场和化验室。");
  await shot("assignment-form");
  await page.locator("#assignment-form").getByRole("button", { name: "交办" }).click();
  await page.waitForURL((url) => /^\/assignments\/[0-9A-Z]{13}$/.test(url.pathname));
  const task = new URL(page.url()).pathname;
  await page.getByText("领取时生效").waitFor();
  await shot("assignment-given");

  // On the page of the customer and in its drawer: the tab counts it; another one is given from there.
  await page.goto(`/customers?drawer=${encodeURIComponent(customerPage)}`);
  const card = page.locator("#drawer");
  await card.locator(`#count-${customer.id}-assignments`, { hasText: "1" }).waitFor();
  await card.getByRole("link", { name: /^交办\s*1$/ }).click();
  await card.getByRole("link", { name: "协助客户来矿看样" }).waitFor();
  await shot("customer-tasks-drawer");
  await page.goto(`${customerPage}?tab=assignments`);
  await page.locator(".hang").getByRole("link", { name: "交办", exact: true }).click();
  await page.locator("#assignment-form").waitFor();
  await page.locator("[name=title]").fill("寄去化验单");
  await pick(page, "to", "王五");
  await page.locator("[name=due]").fill(day(1));
  await page.locator("#assignment-form").getByRole("button", { name: "交办" }).click();
  await page.locator(`#count-${customer.id}-assignments`, { hasText: "2" }).waitFor();
  await page.locator(".hang").getByRole("link", { name: "寄去化验单" }).waitFor();
  await shot("customer-tasks");
  await page.goto(`/assignments?place=seen&customer_id=${customer.id}`);
  await page.getByText("客户：华南水泥厂").waitFor();
  await shot("assignments-of-customer");
  const [second] = (await call("GET", `/api/v1/assignments?place=seen&q=${encodeURIComponent("化验单")}`)).items;
  await call("POST", `/api/v1/assignments/${second.id}/withdrawal`, {});

  // The receiver does not know the customer, takes the task, and then does.
  await begin(page, "wang");
  assert.equal((await page.goto(customerPage)).status(), 404);
  await page.goto("/");
  await page.getByRole("link", { name: /交办任务/ }).click();
  await page.waitForURL((url) => url.pathname === "/tasks");
  await shot("assignment-todo");
  await page.getByRole("link", { name: "协助客户来矿看样" }).click();
  await page.locator("#assignment-card").getByText("领取后可以查看").waitFor();
  await page.locator("#assignment-card").getByRole("button", { name: "领取" }).click();
  await page.locator("#assignment-card").getByRole("link", { name: "华南水泥厂" }).waitFor();
  await shot("assignment-taken");
  await page.goto(task);
  await page.locator("#assignment-card").getByRole("link", { name: "华南水泥厂" }).click();
  await page.waitForURL((url) => url.pathname === customerPage);
  await page.getByRole("link", { name: "为什么能看到？" }).first().click();
  await page.getByText("交办任务“协助客户来矿看样”，交办人 李四").first().waitFor();
  await shot("assignment-explained");

  // He replies; the customer is gone for him.
  await page.goto(task);
  await page.locator("[name=reply]").fill("已安排周二上午，由张工陪同。");
  await page.getByRole("button", { name: "办结并答复" }).click();
  await page.locator("#assignment-card").getByText("已办结").first().waitFor();
  assert.equal(await page.locator("#assignment-card").getByText("华南水泥厂").count(), 0);
  await shot("assignment-done");
  assert.equal((await page.goto(customerPage)).status(), 404);

  // The giver reads the reply.
  await signIn(page, "li", `${password}-own`);
  await page.goto("/assignments?place=given&state=done");
  await page.getByRole("link", { name: "协助客户来矿看样" }).click();
  await page.getByText("已安排周二上午，由张工陪同。").first().waitFor();
  await shot("assignments-list");
});

journey("who answers for what is written down, leads a task, and a returned one is counted", { setup: true }, async (tools) => {
  const { page, shot } = tools;
  const call = program(tools);
  const li = await call("POST", "/api/v1/people", { username: "li", name: "李四", password, roles: ["staff"] });
  const service = await call("POST", "/api/v1/units", { name: "客户服务部", kind: "department" });
  await call("POST", "/api/v1/units", { name: "总经办", kind: "department" });
  await call("POST", `/api/v1/people/${li.id}/positions`, { unit_id: service.id, post: "service_staff" });

  await signIn(page, administrator.username, administrator.password);
  await page.goto("/admin/processes");
  await page.getByText("还没有流程").waitFor();
  await shot("processes-empty");
  await page.goto("/admin/processes/new");
  await page.locator("[name=title]").fill("客户投诉处理");
  await page.locator("[name=code]").fill("tousu");
  await pick(page, "party.0", "客户服务部");
  await page.locator("#process-form").getByRole("button", { name: "保存" }).click();
  await page.getByText("每个流程要有一个“A 批准”").first().waitFor();
  await shot("process-refused");
  await pick(page, "party.1", "总经办");
  await page.locator("[name='duty.1']").selectOption("accountable");
  await pick(page, "party.2", "总经办");
  await page.locator("[name='duty.2']").selectOption("informed");
  await page.locator("#process-form").getByRole("button", { name: "保存" }).click();
  await page.waitForURL((url) => url.pathname === "/admin/processes");
  await page.locator(".duty-mark.duty-A").waitFor();
  await shot("processes");
  await page.goto("/admin/assignments");
  await page.locator("[name=grace_hours]").fill("24");
  await page.getByRole("button", { name: "保存" }).click();
  await page.getByText("已保存").waitFor();
  assert.equal(await page.locator("[name=grace_hours]").inputValue(), "24");
  await shot("assignment-settings");

  // Routed by the process, returned by the one who took it.
  await page.goto("/assignments/new");
  await page.locator("[name=title]").fill("核实一起投诉");
  await page.locator("[name=process_id]").selectOption({ label: "客户投诉处理" });
  await page.locator("[name=due]").fill(day(1));
  await page.locator("#assignment-form").getByRole("button", { name: "交办" }).click();
  await page.waitForURL((url) => /^\/assignments\/[0-9A-Z]{13}$/.test(url.pathname));
  const task = new URL(page.url()).pathname;
  await begin(page, "li");
  await page.goto(task);
  await page.getByRole("button", { name: "领取" }).click();
  await page.locator("#assignment-card").getByText("办理中").first().waitFor();
  await page.getByText("退回给交办人").click();
  await page.locator("[name=reason]").fill("不是本公司的产品");
  await page.getByRole("button", { name: "退回", exact: true }).click();
  await page.locator("#assignment-card").getByText("已退回").first().waitFor();
  await signIn(page, administrator.username, administrator.password);
  await page.goto("/assignments?place=given");
  await page.locator(".data-table .pill", { hasText: "已退回" }).waitFor();
  await shot("assignments-returned");
  await page.goto(task);
  await shot("assignment-returned");
  await page.goto("/assignments/statistics");
  await page.locator("tr", { hasText: "客户投诉处理" }).waitFor();
  await shot("assignment-statistics");
});

journey("a delegate does the tasks of the one away, and everybody sees for whom", { setup: true }, async (tools) => {
  const { page, shot } = tools;
  const call = program(tools);
  const person = (username, name) => call("POST", "/api/v1/people", { username, name, password, roles: ["staff"] });
  const zhang = await person("zhang", "张三");
  const wang = await person("wang", "王五");
  const give = (title) => call("POST", "/api/v1/assignments", { title, person_id: zhang.id, due: day(2) });
  const visit = await give("上门看样");
  await give("核对合同");
  const ends_at = new Date(Date.now() + 86_400_000).toISOString();
  await call("POST", "/api/v1/delegations", { from_id: zhang.id, to_id: wang.id, ends_at, reason: "出差" });
  await begin(page, "wang");
  await page.goto("/tasks?tab=assignments");
  await page.locator(".data-table .pill", { hasText: "代 张三" }).first().waitFor();
  await shot("delegate-tasks");
  await page.getByRole("link", { name: "上门看样" }).click();
  await page.locator("#assignment-card").getByText("代 张三").first().waitFor();
  await page.locator("#assignment-card").getByRole("button", { name: "领取" }).click();
  await page.locator("#assignment-card").getByText("王五（代 张三）").waitFor();
  await page.locator("[name=reply]").fill("看过了，合格。");
  await page.getByRole("button", { name: "办结并答复" }).click();
  await page.locator("#assignment-card").getByText("已办结").first().waitFor();
  await shot("delegate-done");
  await signIn(page, administrator.username, administrator.password);
  await page.goto(`/assignments/${visit.id}`);
  await page.getByText("王五（代 张三）").first().waitFor();
  await page.goto("/admin/audit");
  await page.getByText("代谁办理").first().waitFor();
  await shot("delegate-log");
});
