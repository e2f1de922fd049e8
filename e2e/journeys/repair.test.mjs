import assert from "node:assert/strict";
import { action, as, company, day, fill, pick, program, send, sign, stands } from "../lib/company.mjs";
import { screens, withPage } from "../lib/browser.mjs";
import { journey } from "../lib/journey.mjs";

const plan = {
  units: {
    group: { name: "岭岳物业", kind: "company", head: "liangbo" },
    office: { name: "珠江新城管理处", kind: "property_office", in: "group", head: "huangmin" },
    engineering: { name: "工程部", kind: "department", in: "group", head: "tianlei" },
    finance: { name: "财务部", kind: "department", in: "group" },
  },
  people: {
    fangmei: { name: "方梅", at: "office", post: "front_desk_staff" },
    huangmin: { name: "黄敏", at: "office", post: "customer_service_supervisor" },
    tianlei: { name: "田磊", at: "engineering", post: "engineering_director" },
    panyong: { name: "潘勇", at: "engineering", post: "repair_staff", skills: ["plumbing"] },
    wanggang: { name: "汪刚", at: "engineering", post: "repair_staff", skills: ["lift_repair"] },
    zengqiang: { name: "曾强", at: "finance", post: "finance_staff" },
    liangbo: { name: "梁波", at: "group", post: "general_manager" },
  },
  policies: ["repair"],
};

const photo = {
  name: "漏水点.png",
  mimeType: "image/png",
  buffer: Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64"),
};
const press = (page, name) => page.locator("#case-card").getByRole("button", { name, exact: true }).first().click();
const refused = (scope, words) => scope.locator(".field-error, .form-errors").filter({ hasText: words }).first().waitFor();
const submit = (box) => box.locator("button[type=submit]").last().click();
const guess = (page, address, values = {}) =>
  page.evaluate(async ([to, body]) => (await fetch(to, { method: "POST", body: new URLSearchParams(body) })).status, [address, values]);

// The list of prices, proposed, approved, published and put in force.
async function publishPrices(server, call) {
  const keeper = program(server, "zengqiang");
  const values = {
    title: "2026年维修收费标准", effective_on: day(0),
    prices: [
      { item: "更换水龙头", kind: "人工", unit: "次", price: "30" },
      { item: "水龙头", kind: "材料", unit: "个", price: "45" },
    ],
  };
  const { id } = await keeper("POST", "/api/v1/cases/price-list", { values });
  const act = (name) => keeper("POST", `/api/v1/cases/price-list/${id}/actions`, { action: name, values: {} });
  await act("submit-prices");
  await program(server, "liangbo")("POST", `/api/v1/cases/price-list/${id}/decisions`, { verdict: "approve" });
  await act("publish");
  await act("enforce");
  return (await call("GET", `/api/v1/cases/price-list/${id}`)).number;
}

//
journey("a repair goes from a phone call to the money, the engineer with his phone on the spot", { setup: true }, async (tools) => {
  const { page, server, shot } = tools;
  const { call } = await company(server, plan);
  const prices = await publishPrices(server, call);

  // The front desk writes the slip and agrees on a time.
  await as(page, "fangmei");
  await page.goto("/cases/new/slip");
  await pick(page, "v.office", "工程部");
  await fill(page, { customer_name: "陈女士", phone: "13812345678", place: "3栋1502", content: "厨房水龙头漏水" });
  await page.getByRole("button", { name: "提交" }).click();
  await refused(page, "不能开");
  await pick(page, "v.office", "珠江新城管理处");
  await page.getByRole("button", { name: "提交" }).click();
  await page.waitForURL((url) => /^\/cases\/[0-9A-Z]{13}$/.test(url.pathname));
  const home = new URL(page.url()).pathname;
  await stands(page, "待预约");
  assert.equal(await guess(page, `${home}/actions/dispatch`, { "v.trade": "水暖" }), 422);
  const appoint = await action(page, "appoint");
  const soon = new Date(Date.now() + 8 * 3600_000 + 3600_000).toISOString().slice(0, 16);
  await fill(appoint, { appointment: soon, agreed_with: "陈女士" });
  await shot("repair-appointment");
  await send(page, appoint, "待派工");
  assert.equal(await page.locator("#act-dispatch").count(), 0);
  assert.equal(await guess(page, `${home}/actions/dispatch`, { "v.trade": "水暖" }), 422);

  // The head of engineering sends somebody; whoever cannot do it needs a reason, and is replaced.
  await as(page, "tianlei");
  await page.goto(home);
  const dispatch = await action(page, "dispatch");
  await fill(dispatch, { trade: "水暖" });
  await pick(dispatch, "v.technician", "汪刚");
  await submit(dispatch);
  await refused(dispatch, "专长不符的原因");
  await shot("repair-dispatch-refused");
  await fill(dispatch, { mismatch_reason: "水暖工都在外面" });
  await send(page, dispatch, "待到场");
  await as(page, "wanggang");
  await page.goto("/cases");
  await page.locator("#list tbody tr", { hasText: "陈女士" }).waitFor();
  await as(page, "tianlei");
  await page.goto(home);
  const reassign = await action(page, "reassign");
  await pick(reassign, "v.technician", "潘勇");
  await fill(reassign, { reassign_reason: "潘勇已回来" });
  await submit(reassign);
  await page.locator(".facts", { hasText: "汪刚、潘勇" }).waitFor();
  await page.locator(".facts", { hasText: "潘勇：潘勇已回来" }).waitFor();
  await as(page, "wanggang");
  assert.equal(await guess(page, `${home}/actions/arrive`), 422);

  // On the spot, by phone.
  const phone = { viewport: screens.phone, hasTouch: true };
  await withPage(server.url, async (hand, { shot: picture, problems }) => {
    await as(hand, "panyong");
    await hand.goto("/cases");
    await hand.locator("#list tbody tr a.name", { hasText: "陈女士" }).tap();
    await hand.waitForURL((url) => url.searchParams.has("drawer"));
    await hand.locator("#drawer").getByRole("button", { name: "到场", exact: true }).tap();
    await hand.locator("#drawer .drawer-meta .pill", { hasText: "现场确认" }).waitFor();
    await picture("repair-arrived");
    await hand.goto(home);
    const confirm = await action(hand, "confirm");
    await fill(confirm, { as_reported: "0" });
    await submit(confirm);
    await refused(confirm, "现场确认项目");
    await fill(confirm, { confirmed: "厨房水龙头阀芯坏，整只更换" });
    await send(hand, confirm, "报价");
    await hand.locator(".facts", { hasText: "厨房水龙头漏水" }).filter({ hasText: "整只更换" }).waitFor();

    // Prices from the list in force; another price wants a reason, what is free is written as 0.
    const quote = await action(hand, "quote");
    await pick(quote, "v.price_list", prices);
    const line = async (n, cells) => {
      for (const [column, value] of Object.entries(cells)) {
        const cell = quote.locator(`[name="v.fees.${n}.${column}"]`);
        if (column === "kind") await cell.selectOption(value);
        else await cell.fill(value);
      }
    };
    await line(0, { item: "水龙头", kind: "材料", list_price: "45", unit_price: "40", quantity: "1" });
    await line(1, { item: "更换水龙头", kind: "人工", list_price: "30", unit_price: "30", quantity: "1" });
    await quote.locator("[data-line-add]").tap();
    await line(3, { item: "更换水龙头", kind: "人工", list_price: "30", unit_price: "0", quantity: "1", reason: "第二只同时更换，不收人工" });
    await picture("repair-quote");
    await submit(quote);
    await refused(quote, "要写明原因");
    await line(0, { reason: "业主自备密封圈" });
    await send(hand, quote, "客户同意");
    await hand.locator(".facts", { hasText: "70.00" }).filter({ hasText: "0.00" }).first().waitFor();

    // No work before the customer has signed.
    await press(hand, "开始维修");
    await refused(hand, "还没有同意收费");
    const consent = await action(hand, "record-consent");
    await fill(consent, { consent_by: "陈女士" });
    await sign(hand, "v.consent_signature");
    await picture("repair-consent");
    await submit(consent);
    await hand.locator(".facts", { hasText: "同意签名" }).locator("img").first().waitFor();
    await press(hand, "开始维修");
    await stands(hand, "维修中");

    // Something broke; then the connection does, while he writes. Nothing is lost, and it arrives once.
    const damage = await action(hand, "report-damage");
    await damage.locator('[name="v.damages.0.item"]').fill("瓷砖一块");
    await damage.locator('[name="v.damages.0.price"]').fill("20");
    await damage.locator('[name="v.damages.0.status"]').selectOption("未赔");
    await submit(damage);
    await hand.locator(".facts", { hasText: "瓷砖一块" }).waitFor();
    let done = await action(hand, "work-done");
    await hand.context().setOffline(true);
    await fill(done, { repair_note: "更换水龙头一只，试水正常", moves_indoor: "0" });
    await submit(done);
    await hand.locator(".toast-item", { hasText: "联网后自动提交" }).first().waitFor();
    await submit(done);
    await picture("repair-offline");
    await hand.context().setOffline(false);
    await stands(hand, "清场与检查试用");
    // Provoked: the browser says that there was no connection.
    assert.ok(problems.every((one) => /ERR_INTERNET_DISCONNECTED|Failed to fetch/.test(one)), problems.join("\n"));
    problems.length = 0;
    const { trail } = await call("GET", `/api/v1/cases/slip/${home.split("/").at(-1)}`);
    assert.equal(trail.filter((one) => JSON.stringify(one).includes("维修完毕")).length, 1);

    // What is not ticked is not done; not working yet, it goes back, and what he types is there again after a reload.
    let check = await action(hand, "checked");
    await check.locator('[value="清整现场"]').check();
    await fill(check, { trial_result: "仍有问题" });
    await sign(hand, "v.technician_signature");
    await submit(check);
    await refused(check, "完工检查");
    await check.locator('[value="检查试用"]').check();
    await send(hand, check, "维修中");
    done = await action(hand, "work-done");
    await fill(done, { repair_note: "再换密封圈，试水正常", moves_indoor: "1" });
    await hand.reload();
    done = await action(hand, "work-done");
    assert.equal(await done.locator('[name="v.repair_note"]').inputValue(), "再换密封圈，试水正常");
    await done.locator(".draft-note", { hasText: "已恢复上次没有提交的内容" }).waitFor();
    await picture("repair-draft");
    await submit(done);
    await refused(done, "同意移动的业主");
    await fill(done, { move_consent_by: "陈女士", move_consent_at: `${day(0)}T00:00` });
    await send(hand, done, "清场与检查试用");
    check = await action(hand, "checked");
    for (const box of ["清整现场", "检查试用"]) await check.locator(`[value="${box}"]`).check();
    await fill(check, { trial_result: "正常" });
    await sign(hand, "v.technician_signature");
    await send(hand, check, "待客户签字");

    // She does not want to sign at first; the head of engineering sends him back to her.
    let signing = await action(hand, "sign");
    await fill(signing, { satisfaction: "5" });
    await submit(signing);
    await refused(signing, "客户签名");
    const no = await action(hand, "refuses-sign");
    await fill(no, { unsigned_reason: "要等先生回来看过" });
    await send(hand, no, "拒签处理");
    await as(page, "tianlei");
    await page.goto(home);
    const again = await action(page, "sign-again");
    await fill(again, { unsigned_ruling: "下午再去请业主签字" });
    await send(page, again, "待客户签字");
    await hand.reload();
    signing = await action(hand, "sign");
    await fill(signing, { satisfaction: "5" });
    await signing.locator("input[type=file]").setInputFiles(photo);
    await signing.locator(".tag-chip", { hasText: "漏水点.png" }).waitFor();
    await sign(hand, "v.customer_signature");
    await picture("repair-signature");
    await send(hand, signing, "分联");
    await hand.locator(".case-files img").first().waitFor();

    // Three copies.
    await fill(await action(hand, "hand-first"), { copy1_to: "陈女士" });
    await submit(await action(hand, "hand-first"));
    await hand.locator("#act-hand-first").waitFor({ state: "detached" });
    const second = await action(hand, "hand-second");
    await pick(second, "v.copy2_to", "方梅");
    await submit(second);
    await refused(second, "工程部主任存档");
    await pick(second, "v.copy2_to", "田磊");
    await submit(second);
    await hand.locator("#act-hand-second").waitFor({ state: "detached" });
    await picture("repair-copies");
    await pick(await action(hand, "hand-third"), "v.copy3_to", "方梅");
    await send(hand, await action(hand, "hand-third"), "前台转第三联");
  }, phone);

  // The third copy passes from the front desk to finance, who collects what the slip says.
  await as(page, "zengqiang");
  await page.goto("/cases");
  await page.getByText("没有等您办理的单据").waitFor();
  await as(page, "fangmei");
  await page.goto(home);
  await press(page, "第三联转财务部");
  await stands(page, "财务部签收第三联");
  await as(page, "zengqiang");
  await page.goto(home);
  await press(page, "收到第三联");
  await stands(page, "计收服务费");
  const collect = await action(page, "collect");
  await fill(collect, { collected_amount: "75", collected_on: day(0), collect_method: "移动支付", receipt_no: "SJ-001" });
  await submit(collect);
  await refused(collect, "要与维修单的费用合计一致");
  await fill(collect, { collected_amount: "70" });
  await shot("repair-collect");
  await send(page, collect, "待抽查归档");

  // It is not put away while the damage is open.
  await as(page, "tianlei");
  await page.goto(home);
  await press(page, "归档");
  await refused(page, "损坏赔偿还没有了结");
  const settle = await action(page, "settle-damage");
  await settle.locator('[name="v.damages.0.status"]').selectOption("已赔");
  await settle.locator('[name="v.damages.0.apologised_at"]').fill(`${day(0)}T00:00`);
  await settle.locator('[name="v.damages.0.receipt"]').fill("SJ-002");
  await submit(settle);
  await page.locator(".facts", { hasText: "SJ-002" }).waitFor();
  await press(page, "归档");
  await stands(page, "已完成");
  for (const name of ["方梅", "田磊", "潘勇", "曾强"]) await page.locator(".timeline-k", { hasText: name }).waitFor();
  await page.locator(".case-diagram > summary").click();
  await shot("repair-archived");

  // Repairs have their own entry in the menu, with a desk that counts them month by month.
  await page.getByRole("link", { name: "报修", exact: true }).first().click();
  await page.locator(".desk-kinds .card", { hasText: "维修单" }).waitFor();
  await page.locator("#desk-figures .card", { hasText: "维修满意率" }).waitFor();
  await shot("repair-desk");
});
