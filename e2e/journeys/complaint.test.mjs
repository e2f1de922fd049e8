import assert from "node:assert/strict";
import { action, as, company, day, fill, pick, send, stands } from "../lib/company.mjs";
import { journey } from "../lib/journey.mjs";
import { administrator } from "../lib/server.mjs";

const plan = {
  units: {
    retail: { name: "零售连锁公司", kind: "company", head: "bai" },
    shop: { name: "北京路店", kind: "shop", in: "retail", head: "ren" },
    operations: { name: "营运部", kind: "department", in: "retail" },
    personnel: { name: "行政人事部", kind: "department", in: "retail" },
    buying: { name: "采购部", kind: "department", in: "retail", head: "cai" },
  },
  people: {
    long: { name: "龙飞", at: "shop", post: "customer_service_staff" },
    ren: { name: "任静", at: "shop", post: "department_head" },
    lin: { name: "林小玲", at: "operations", post: "operations_service_staff" },
    lv: { name: "吕佳", at: "personnel", post: "human_resources_staff" },
    gou: { name: "苟采", at: "buying", post: "case_handler" },
    cai: { name: "蔡红", at: "buying", post: "department_manager" },
    bai: { name: "白雪", at: "retail", post: "general_manager" },
    fa: { name: "法正", at: "retail", post: "legal_staff" },
    zhao: { name: "赵敏", at: "retail", post: "finance_staff" },
  },
  policies: ["retail-complaints"],
};

const letter = { name: "投诉书.txt", mimeType: "text/plain", buffer: Buffer.from("冰箱不制冷，要求退货。") };
const decision = (page) => page.locator("#case-decision");
const say = (page, words) => decision(page).locator("[name=comment]").fill(words);
const verdict = (page, name) => decision(page).getByRole("button", { name, exact: true }).click();
const refused = (scope, words) => scope.locator(".field-error, .form-errors").filter({ hasText: words }).first().waitFor();
const listed = (page) => page.locator("#list tbody tr");

// Sends a form to an address without the page that leads there, as somebody who guesses it; answers the status.
const guess = (page, address, values) =>
  page.evaluate(async ([to, body]) => (await fetch(to, { method: "POST", body: new URLSearchParams(body) })).status, [address, values]);

// covers: RT-05, RT-07, RT-08, RT-09, RT-10, RT-11, RT-12, RT-15
journey("a complaint goes from the shop to its reply, every step by its own people", { setup: true }, async ({ page, server, shot }) => {
  await company(server, plan);

  // A new colleague: nothing waits, and only the form of his post is offered.
  await as(page, "long");
  await page.goto("/cases");
  await page.getByText("没有等您办理的单据").waitFor();
  await shot("cases-todo-empty");
  await page.getByRole("link", { name: "新开单据" }).first().click();
  await page.locator(".case-offer", { hasText: "客户投诉记录卡" }).waitFor();
  assert.equal(await page.locator(".case-offer").count(), 1);
  await shot("case-choose");
  await page.locator(".case-offer").click();
  await page.locator("#case-form").getByRole("button", { name: "提交" }).click();
  await page.locator("#case-form [aria-invalid=true]").first().waitFor();
  await shot("complaint-refused");

  // Written by keyboard alone.
  const keys = page.keyboard;
  await page.locator('[id="f-v.store"]').focus();
  await keys.type("北京路");
  await page.locator("[role=option]", { hasText: "北京路店" }).waitFor();
  await keys.press("Enter");
  await keys.press("Tab");
  await keys.press("ArrowDown");
  await keys.press("Tab");
  await keys.type("张三");
  await keys.press("Tab");
  await keys.type("13800000000");
  await keys.press("Tab");
  await keys.press("Tab");
  await keys.press("Space");
  await page.locator('[name="v.request"]').focus();
  await keys.type("冰箱不制冷，要求退货并赔偿损失");
  await shot("complaint-form");
  await keys.press("Control+Enter");
  await page.waitForURL((url) => /^\/cases\/[0-9A-Z]{13}$/.test(url.pathname));
  const home = new URL(page.url()).pathname;
  await stands(page, "确认投诉理由");
  const card = page.locator("#case-card");
  await card.locator(".facts", { hasText: "退货" }).waitFor();
  await card.locator(".facts", { hasText: "林小玲" }).waitFor();
  await card.locator(".case-deadlines", { hasText: "七天结案" }).filter({ hasText: day(7) }).waitFor();
  await shot("complaint-opened");
  const [number] = (await card.locator(".drawer-meta").textContent()).match(/TS-\d{6}-0001/);

  // What is not his to do: the superior's ruling, the assignment, the report. Whoever has no part does not know of it.
  assert.equal(await guess(page, `${home}/actions/accept`, { "v.ruling_opinion": "受理" }), 422);
  assert.equal(await guess(page, `${home}/actions/assign.submit`, { "v.instruction": "查" }), 422);
  await as(page, "gou");
  assert.equal((await page.goto(home)).status(), 404);
  assert.equal(await guess(page, `${home}/actions/verify.submit`, { "v.basis": "无" }), 404);

  // The shop says whether there is a reason; its superior rules.
  await as(page, "ren");
  await page.goto("/cases");
  await listed(page).filter({ hasText: number }).waitFor();
  await shot("cases-todo");
  await listed(page).getByRole("link", { name: /张三/ }).click();
  const drawer = page.locator("#drawer");
  await fill(await action(drawer, "verify.submit"), { reason_holds: "1", basis: "凭发票和照片核实" });
  await pick(drawer, "v.complained_department", "采购部");
  await shot("complaint-verify-drawer");
  await send(drawer, await action(drawer, "verify.submit"), "裁定是否受理");
  assert.equal(await drawer.locator(".case-act").count(), 0);
  await as(page, "bai");
  await page.goto(home);
  const accept = await action(page, "accept");
  await send(page, accept, "裁定是否受理").catch(() => {});
  await refused(accept, /./);
  await fill(accept, { ruling_opinion: "理由成立，受理" });
  await send(page, accept, "确定受理部门");

  // Personnel names the department, the investigator and what to look into, and presses.
  await as(page, "lv");
  await page.goto(home);
  const assign = await action(page, "assign.submit");
  await pick(assign, "v.department", "采购部");
  await pick(assign, "v.investigator", "苟采");
  await fill(assign, { instruction: "查明压缩机批次" });
  await send(page, assign, "调查并填写报告");
  await decision(page).getByRole("button", { name: "催办" }).click();
  await page.locator(".toast-item", { hasText: "已办理" }).first().waitFor();
  await page.goto(`/cases?place=all&form=complaint`);
  await listed(page).filter({ hasText: number }).filter({ hasText: day(7) }).filter({ hasText: "林小玲" }).waitFor();
  await shot("cases-all");
  await page.getByRole("link", { name: "看板" }).click();
  await page.locator(".case-column", { hasText: "调查并填写报告" }).getByText("张三").waitFor();
  await shot("cases-board");
  await page.goto(`/cases/calendar?month=${day(7).slice(0, 7)}`);
  await page.locator(`.due-day:has(time[datetime="${day(7)}"])`).getByRole("link", { name: /张三/ }).waitFor();
  await shot("cases-calendar");

  // The investigator was told. A report with gaps cannot be sent: seven parts and the letter itself.
  await as(page, "gou");
  await page.goto("/notices");
  await page.locator(".notice-list", { hasText: number }).waitFor();
  await shot("notices");
  await page.goto(home);
  let report = await action(page, "investigate.submit");
  await report.locator("button[type=submit]").last().click();
  for (const gap of ["original", "cause_code", "cause", "course", "responsible", "conclusion", "countermeasure", "prevention"]) {
    const field = report.locator(`.field:has([name="v.${gap}"])`);
    await field.locator(".field-error", { hasText: "请填写" }).waitFor();
  }
  await shot("complaint-report-refused");
  await report.locator("input[type=file]").setInputFiles(letter);
  await report.locator(".tag-chip", { hasText: "投诉书.txt" }).waitFor();
  await fill(report, {
    cause_code: "商品质量", cause: "压缩机批次缺陷", course: "9月20日购买，25日停机", responsible: "供货商",
    conclusion: "质量问题", countermeasure: "退货", prevention: "该批次下架复检",
  });
  await shot("complaint-report");
  await send(page, report, "受理部门主管审核报告");
  await shot("complaint-waits-for-approval");

  // Its head sends it back once, with a reason, and then agrees.
  await as(page, "cai");
  await page.goto(home);
  await verdict(page, "驳回");
  await refused(decision(page), /理由|意见/);
  await say(page, "请附上检测报告");
  await shot("complaint-review");
  await verdict(page, "驳回");
  await stands(page, "调查并填写报告");
  await as(page, "gou");
  await page.goto(home);
  await page.getByText("请附上检测报告").first().waitFor();
  report = await action(page, "investigate.submit");
  await report.locator(".tag-chip", { hasText: "投诉书.txt" }).waitFor();
  await fill(report, { conclusion: "质量问题，见检测报告" });
  await send(page, report, "受理部门主管审核报告");
  await as(page, "cai");
  await page.goto(home);
  await verdict(page, "同意");
  await stands(page, "行政人事部审核附意见");

  // Personnel's opinion, the general manager's note; he asks legal first, then wants more, and it comes back to him.
  await as(page, "lv");
  await page.goto(home);
  const opinion = await action(page, "submit-to-gm");
  await fill(opinion, { admin_opinion: "建议退货并补偿" });
  await send(page, opinion, "总经理批阅");
  await as(page, "bai");
  await page.goto(home);
  await page.getByText("退回、加签、转办").click();
  await pick(decision(page), "people", "法正");
  await shot("complaint-add-approver");
  await verdict(page, "前加签");
  await page.locator(".approval-rounds", { hasText: "法正" }).waitFor();
  assert.equal(await decision(page).getByRole("button", { name: "同意" }).count(), 0);
  await as(page, "fa");
  await page.goto(home);
  await say(page, "赔偿有依据");
  await verdict(page, "同意");
  await page.locator(".approval-rounds", { hasText: "赔偿有依据" }).waitFor();
  await as(page, "bai");
  await page.goto(home);
  await page.getByText("退回、加签、转办").click();
  await decision(page).locator("[name=to]").selectOption({ label: "行政人事部审核附意见" });
  await say(page, "请写明补偿多少");
  await verdict(page, "退回");
  await stands(page, "行政人事部审核附意见");
  await as(page, "lv");
  await page.goto(home);
  const again = await action(page, "submit-to-gm");
  await fill(again, { admin_opinion: "建议退货并补偿八百元" });
  await send(page, again, "总经理批阅");
  await as(page, "bai");
  await page.goto(home);
  await verdict(page, "同意");
  await refused(decision(page), "总经理批示");
  await fill(decision(page), { gm_note: "同意，尽快办理" });
  await verdict(page, "同意");
  await stands(page, "提出处理意见");

  // The department's proposal: what it costs and by which rule; taken back, corrected, and agreed to by both levels.
  await as(page, "gou");
  await page.goto(home);
  await page.locator(".facts", { hasText: "同意，尽快办理" }).waitFor();
  let handle = await action(page, "handle.submit");
  await fill(handle, { handling_opinion: "退货，赔偿地板", compensates: "1" });
  await handle.locator("button[type=submit]").last().click();
  await refused(handle, "折价赔偿金额");
  await fill(handle, { compensation_kind: "赔偿", compensation: "80000", order_no: "DD-2026-0915" });
  await send(page, handle, "审核处理意见与折价赔偿");
  await verdict(page, "撤回");
  await stands(page, "提出处理意见");
  handle = await action(page, "handle.submit");
  await fill(handle, { compensation: "800" });
  await send(page, handle, "审核处理意见与折价赔偿");
  await page.locator(".facts", { hasText: "销售业务处理规定" }).waitFor();
  await as(page, "cai");
  await page.goto("/cases");
  await listed(page).filter({ hasText: number }).getByRole("checkbox").check();
  await page.locator("[name=comment]").fill("金额合理");
  await shot("cases-batch");
  await page.getByRole("button", { name: "批量同意" }).click();
  await page.locator("#confirm [data-role=yes]").click();
  await page.locator(".toast-item", { hasText: "已同意 1 张单据" }).waitFor();
  await page.getByText("没有等您办理的单据").waitFor();
  await as(page, "bai");
  await page.goto(home);
  await page.locator(".approval-rounds", { hasText: "金额合理" }).waitFor();
  await verdict(page, "同意");
  await stands(page, "答复客户");

  // Only operations replies.
  await as(page, "long");
  await page.goto(home);
  const reply = { reply_manner: "书面", reply_channel: "信函", reply: "同意退货退款，深表歉意", reaction: "满意" };
  assert.equal(await page.locator("#act-close").count(), 0);
  const sent = Object.fromEntries(Object.entries({ ...reply, replied_at: `${day()}T00:00` }).map(([k, v]) => [`v.${k}`, v]));
  assert.equal(await guess(page, `${home}/actions/close`, sent), 422);
  await as(page, "lin");
  await page.goto(home);
  const close = await action(page, "close");
  await fill(close, { ...reply, replied_at: `${day()}T00:00` });
  await shot("complaint-reply");
  await send(page, close, "已结案");
  await page.locator(".case-diagram > summary").click();
  await shot("complaint-closed");

  // Where each of them finds it now.
  await page.goto("/cases?place=done");
  await listed(page).filter({ hasText: number }).waitFor();
  await shot("cases-done");
  await page.goto("/cases?place=copies");
  await page.getByText("没有抄送给您的单据").waitFor();
  await as(page, "long");
  await page.goto("/cases?place=mine");
  await listed(page).filter({ hasText: number }).filter({ hasText: "已结案" }).waitFor();
  await shot("cases-mine");

  // What is to follow: the measure for its department, the marks for how it was handled.
  await as(page, "lv");
  await page.goto(home);
  for (const next of ["防范措施落实单", "投诉处理质量评分"]) await page.locator(".case-related", { hasText: next }).waitFor();
  await as(page, "cai");
  await page.goto("/cases");
  await listed(page).filter({ hasText: "防范措施落实单" }).waitFor();

  // Finance enters what was agreed on the order.
  await as(page, "zhao");
  await page.goto("/cases");
  const slip = listed(page).filter({ hasText: "折价赔偿记账单" });
  await page.goto(await slip.locator("a").first().getAttribute("href"));
  const posted = await action(page, "posted");
  await fill(posted, { voucher: "记-0928-3", posted_at: day() });
  await send(page, posted, "已记入");
  await shot("settlement-posted");

  // What a shorter time to close would have changed is tried on this complaint.
  await as(page, administrator.username);
  await page.goto("/policies");
  await page.getByRole("link", { name: "门店客户投诉处理办法" }).first().click();
  await page.getByRole("button", { name: "改参数" }).click();
  await page.waitForURL((url) => url.pathname.endsWith("/settings"));
  const draft = new URL(page.url()).pathname.replace(/\/settings$/, "");
  await page.locator("[name='s.close_within']").fill("3d");
  await page.getByRole("button", { name: "保存" }).click();
  await page.getByText("已保存").first().waitFor();
  await page.goto(`${draft}/publication`);
  await page.getByRole("link", { name: "试跑", exact: true }).click();
  const changed = page.locator("#replay-found section", { hasText: number });
  await changed.locator("li", { hasText: "七天结案" }).first().waitFor();
  await shot("policy-replay");
});
