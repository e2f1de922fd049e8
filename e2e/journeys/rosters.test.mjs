import assert from "node:assert/strict";
import { journey } from "../lib/journey.mjs";
import { administrator } from "../lib/server.mjs";

// Signs in.
async function begin({ page }) {
  await page.goto("/login");
  await page.locator("[name=username]").fill(administrator.username);
  await page.locator("[name=password]").fill(administrator.password);
  await page.locator("[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname === "/");
}

async function pick(page, field, words) {
  const box = page.locator(`[data-picker]:has([name=${field}]) [role=combobox]`);
  await box.fill(words);
  await page.locator(`[data-picker]:has([name=${field}]) [role=option]`, { hasText: words }).first().click();
}

// A unit of the organisation, made by the administrator's token: this journey is not about making one.
async function addUnit(server, name) {
  const token = server.kehu(["token", "new", "--user", administrator.username, "--name", "e2e"]).trim().split("\n").at(-1);
  const made = await fetch(`${server.url}/api/v1/units`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ kind: "department", name }),
  });
  assert.equal(made.status, 201, await made.text());
}

// A point in time, today or days later, as fields for date and time want it.
const local = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" });
const on = (days, clock) => `${local.format(Date.now() + days * 86_400_000)}T${clock}`;

journey("a roster is made, a week filled, the one on duty seen, and somebody acts for the one away", { setup: true }, async (tools) => {
  const { page, server, shot } = tools;
  const person = ["user", "add", "--username", "li", "--name", "李四", "--password-stdin"];
  server.kehu(person, { input: "Kehu-2026-journey\n" });
  await addUnit(server, "招商部");
  await begin(tools);

  // The roster: round the clock.
  await page.goto("/rosters");
  await page.getByText("还没有值班表").waitFor();
  await shot("rosters-empty");
  await page.goto("/rosters/new");
  await page.locator("[name=name]").fill("前台");
  await page.locator("[name=unit_id]").selectOption({ label: "招商部" });
  await page.locator("[name=opens]").fill("00:00");
  await page.locator("[name=closes]").fill("24:00");
  await page.locator("#roster-form").getByRole("button", { name: "保存" }).click();
  await page.getByText("这一周还没有排班").waitFor();
  await shot("roster-empty-week");

  // A week: two people take turns; nothing is made before the preview was seen.
  await page.getByRole("link", { name: "轮班排班" }).click();
  for (const name of [administrator.username, "李四"]) await page.getByRole("checkbox", { name }).check();
  await page.locator("[name=patterns]").fill("08:00-20:00\n20:00-08:00");
  await page.getByRole("button", { name: "先看结果" }).click();
  await page.locator("#preview").waitFor();
  await shot("roster-preview");
  await page.getByRole("button", { name: "排入 14 个班次" }).click();
  await page.locator(".duty-shift").first().waitFor();
  assert.equal(await page.locator(".duty-shift").count(), 14);
  await shot("roster-drafts");

  // Drafts are nobody's duty until they are published.
  await page.getByRole("button", { name: "发布这一周" }).click();
  await page.locator("#confirm[open] [data-role=yes]").click();
  await page.locator(".duty-shift.is-draft").first().waitFor({ state: "detached" });
  await page.locator(".duty-shift").first().waitFor();
  assert.equal(await page.locator(".duty-shift").count(), 14);
  await shot("roster-week");

  // Who is on duty now stands on the list and leads the reception.
  await page.goto("/reception");
  await page.getByRole("radio", { name: "不能，是新客户" }).check();
  await page.getByRole("button", { name: "由谁接待" }).click();
  await page.locator("#outcome").waitFor();
  await shot("reception");

  // One shift is opened beside the week and refused when it lies on another of the same person.
  await page.goto("/rosters");
  await page.locator("table").getByRole("link", { name: "前台" }).click();
  await page.locator(".duty-add").first().click();
  await page.locator("#shift-form").waitFor();
  await pick(page, "person_id", "李四");
  await page.locator("#shift-form").getByRole("button", { name: "保存" }).click();
  await page.getByText("同时已有班次").first().waitFor();
  await shot("shift-refused");

  // Away tomorrow: entered, and a colleague acts.
  await page.goto("/absences");
  await page.locator("[name=kind]").selectOption({ label: "出差" });
  await page.locator("[name=starts_at]").fill(on(1, "00:00"));
  await page.locator("[name=ends_at]").fill(on(2, "00:00"));
  await page.locator("main").getByRole("button", { name: "登记" }).click();
  await page.getByText("已登记").waitFor();
  await shot("absences");
  await page.goto("/delegations");
  await pick(page, "to_id", "李四");
  await page.locator("[name=ends_at]").fill(on(2, "00:00"));
  await page.locator("[name=reason]").fill("出差");
  await page.locator("main").getByRole("button", { name: "保存" }).click();
  await page.locator("main .pill", { hasText: "代理中" }).waitFor();
  await shot("delegations");
  await page.goto("/admin/delegations/skills");
  await page.locator("tbody").getByText("电梯维修").waitFor();
  await shot("skills");
});
