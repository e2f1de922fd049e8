import assert from "node:assert/strict";
import { screens, withPage } from "../lib/browser.mjs";
import { journey } from "../lib/journey.mjs";
import { administrator } from "../lib/server.mjs";

const password = "Kehu-2026-journey";

async function signIn(page, username, secret) {
  await page.goto("/login");
  await page.locator("[name=username]").fill(username);
  await page.locator("[name=password]").fill(secret);
  await page.locator("[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname === "/");
}

// The Monday of next week in the company's zone.
function nextMonday() {
  const local = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" });
  const today = new Date(`${local.format(Date.now())}T00:00:00Z`);
  const ahead = 7 - ((today.getUTCDay() + 6) % 7);
  return new Date(today.getTime() + ahead * 86_400_000).toISOString().slice(0, 10);
}

// covers: SD-21
journey("a week is planned and published, a colleague takes a shift on his phone, the planner sees it", { setup: true }, async (tools) => {
  const { page, server, shot } = tools;
  for (const [username, name] of [["li", "李四"], ["wang", "王五"]]) {
    server.kehu(["user", "add", "--username", username, "--name", name, "--password-stdin"], { input: `${password}\n` });
  }
  const token = server.kehu(["token", "new", "--user", administrator.username, "--name", "e2e"]).trim().split("\n").at(-1);
  const made = await fetch(`${server.url}/api/v1/units`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ kind: "department", name: "客户服务部" }),
  });
  assert.equal(made.status, 201, await made.text());

  // The planner makes a roster, lets two people take turns, sees the gaps and publishes.
  await signIn(page, administrator.username, administrator.password);
  await page.goto("/rosters/new");
  await page.locator("[name=name]").fill("客服热线");
  await page.locator("[name=unit_id]").selectOption({ label: "客户服务部" });
  await page.locator("[name=opens]").fill("08:00");
  await page.locator("[name=closes]").fill("20:00");
  await shot("roster-form");
  await page.locator("#roster-form").getByRole("button", { name: "保存" }).click();
  await page.getByText("这一周还没有排班").waitFor();
  const roster = new URL(page.url()).pathname;
  const week = `${roster}?week=${nextMonday()}`;
  await page.goto(`${roster}/fill?week=${nextMonday()}`);
  for (const name of ["李四", "王五"]) await page.getByRole("checkbox", { name }).check();
  await page.locator("[name=patterns]").fill("08:00-18:00");
  await page.getByRole("button", { name: "先看结果" }).click();
  await page.getByRole("button", { name: "排入 7 个班次" }).click();
  await page.locator(".duty-shift.is-draft").first().waitFor();
  assert.equal(await page.locator(".duty-gap").count(), 7);
  await shot("duty-drafts");
  await page.getByRole("button", { name: "发布这一周" }).click();
  await page.locator("#confirm[open] [data-role=yes]").click();
  await page.getByText("已发布 7 个班次").first().waitFor();
  assert.equal(await page.locator(".duty-shift.is-draft").count(), 0);
  await shot("duty-published");

  // One of them finds his shifts on the workbench and asks the other to stand in.
  await withPage(server.url, async (own, { shot: ownShot }) => {
    await signIn(own, "li", password);
    await own.getByRole("heading", { name: "我的值班" }).waitFor();
    await ownShot("duty-workbench");
    await own.goto("/duty");
    await ownShot("duty-own");
    await own.getByRole("link", { name: "换班" }).first().click();
    await own.locator("#swap-form").waitFor();
    await own.locator("[name=to_id]").selectOption({ label: "王五" });
    await own.locator("[name=note]").fill("家里有事");
    await ownShot("duty-swap");
    await own.locator("#swap-form").getByRole("button", { name: "提出换班" }).click();
    await own.getByText("等对方答复").first().waitFor();
  });

  // The other answers on his phone.
  await withPage(server.url, async (phone, { shot: phoneShot }) => {
    await signIn(phone, "wang", password);
    await phone.getByRole("link", { name: "1 个换班请求等您答复" }).click();
    await phone.getByRole("heading", { name: "请您答复的换班" }).waitFor();
    const size = await phone.getByRole("button", { name: "同意", exact: true }).boundingBox();
    assert.ok(size.height >= 40, "a finger finds the button");
    await phoneShot("duty-asked");
    await phone.getByRole("button", { name: "同意", exact: true }).click();
    await phone.getByText("等排班人批准").first().waitFor();
  }, { viewport: screens.phone });

  // The planner agrees and sees on the roster what changed.
  await page.goto(week);
  await page.getByText("1 个换班等您批准").waitFor();
  await page.getByRole("link", { name: "去批准" }).click();
  await page.getByRole("heading", { name: "等您批准的换班" }).waitFor();
  await shot("duty-decide");
  await page.getByRole("button", { name: "批准", exact: true }).click();
  await page.getByText("已批准，班次已换").first().waitFor();
  await page.goto(week);
  await page.locator("#changes").getByText("→ 王五").waitFor();
  assert.match(await page.locator(".duty-shift").first().innerText(), /王五/);
  await shot("duty-swapped");
  await page.locator("summary", { hasText: "导出" }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "这一周，Excel" }).click()]);
  assert.match(download.suggestedFilename(), /客服热线.*\.xlsx$/);
});
