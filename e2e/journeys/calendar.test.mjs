import assert from "node:assert/strict";
import { as } from "../lib/company.mjs";
import { journey } from "../lib/journey.mjs";
import { administrator } from "../lib/server.mjs";

journey("a year's arrangement is pasted, a day of the company's own is marked and taken back", { setup: true }, async ({ page, shot }) => {
  await as(page, administrator.username);
  await page.goto("/admin/calendar?year=2027");
  await page.locator("#calendar .year-calendar").waitFor();
  await shot("calendar");

  // One line is wrong: nothing is kept, the line is named, and what was pasted is still there.
  const paste = page.locator("#arrangement");
  const lines = ["2027-02-05..2027-02-11 放假 春节", "2027-02-30 上班 春节调休"];
  await paste.locator("[name=text]").fill(lines.join("\n"));
  await paste.locator("button[type=submit]").click();
  await paste.locator(".form-errors, .field-error").filter({ hasText: "第 2 行" }).first().waitFor();
  assert.equal(await paste.locator("[name=text]").inputValue(), lines.join("\n"));
  await shot("calendar-refused");
  await paste.locator("[name=text]").fill([lines[0], "2027-02-14 上班 春节调休"].join("\n"));
  await paste.locator("button[type=submit]").click();
  const rows = page.locator("#calendar tbody tr");
  await rows.filter({ hasText: "春节调休" }).first().waitFor();
  await page.locator('#calendar time[datetime="2027-02-14"] + small', { hasText: "班" }).waitFor();

  const mark = page.locator("#mark");
  await mark.locator("[name=from]").fill("2027-07-01");
  await mark.locator("[name=kind]").first().check();
  await mark.locator("[name=name]").fill("厂休");
  await mark.locator("button[type=submit]").click();
  const own = rows.filter({ hasText: "厂休" });
  await own.waitFor();
  await shot("calendar-marked");
  await own.getByRole("button", { name: "取消标注" }).click();
  await own.waitFor({ state: "detached" });
  await page.locator("#calendar .year-calendar").waitFor();
});
