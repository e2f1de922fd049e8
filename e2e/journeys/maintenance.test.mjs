import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { journey } from "../lib/journey.mjs";
import { administrator } from "../lib/server.mjs";

async function signIn(page) {
  await page.goto("/login");
  await page.locator("[name=username]").fill(administrator.username);
  await page.locator("[name=password]").fill(administrator.password);
  await page.locator("[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname !== "/login");
}

// covers: EX-11
journey("a parameter is changed, a backup is made and verified, and both stand in the log", { setup: true }, async ({ page, server, shot }) => {
  await signIn(page);
  await page.goto("/admin/maintenance");
  await page.getByRole("heading", { name: "系统维护" }).waitFor();
  await shot("maintenance");

  // A parameter: out of range, then right, then the default again.
  await page.locator(".area").getByRole("link", { name: "参数", exact: true }).click();
  await page.waitForURL("**/admin/parameters");
  await shot("parameters");
  await page.getByRole("link", { name: "保留几份自动备份" }).click();
  const card = page.locator("#parameter-card");
  await card.locator("[name=value]").fill("0");
  await card.getByRole("button", { name: "保存" }).click();
  await card.getByText("“保留几份自动备份”请填写 1 到 365 的整数（份）").waitFor();
  await shot("parameter-refused");
  await card.locator("[name=value]").fill("14");
  await card.getByRole("button", { name: "保存" }).click();
  await page.locator("tr", { hasText: "保留几份自动备份" }).getByText("14 份").waitFor();
  await page.getByRole("link", { name: "保留几份自动备份" }).click();
  await card.getByText("修改记录").waitFor();
  await card.locator("ins", { hasText: "14 份" }).waitFor();
  await shot("parameter-changed");

  // A backup, its progress by itself, read back, carried off.
  await page.goto("/admin/backups");
  await page.getByText("还没有备份").waitFor();
  await shot("backups-empty");
  await page.getByRole("button", { name: "立即备份" }).click();
  const row = page.locator("tbody tr").first();
  await row.getByText("已完成").waitFor({ timeout: 30_000 });
  await row.getByText("完好").waitFor();
  await row.getByRole("button", { name: "校验" }).click();
  await page.getByText("正在校验").first().waitFor({ timeout: 5_000 }).catch(() => {});
  await row.getByText("完好").waitFor({ timeout: 30_000 });
  await shot("backups");
  const [download] = await Promise.all([page.waitForEvent("download"), row.getByRole("link", { name: "下载" }).click()]);
  assert.match(download.suggestedFilename(), /^kehu-\d{8}-\d{6}-[0-9A-Z]{13}\.kehu-backup$/);
  const saved = await download.path();
  assert.equal(readFileSync(saved).subarray(0, 27).toString(), "kehu-backup/database.sqlite");
  assert.match(server.kehu(["backup", "verify", saved]), /备份完好/);

  // The working calendar: a whole arrangement is pasted, one wrong line and nothing is saved.
  await page.goto("/admin/calendar?year=2035");
  await page.getByText("放假安排尚未公布").waitFor();
  await shot("calendar-of-the-law");
  const arrangement = page.locator("#arrangement");
  const lines = "2035-02-07..2035-02-13 放假 春节\n2035-02-17 上班 春节调休";
  await arrangement.getByLabel("每行一条").fill(`${lines}\n2035-02-30 放假 春节`);
  await arrangement.getByRole("button", { name: "全部标注" }).click();
  await arrangement.getByText("第 3 行：“2035-02-30”不是日期").waitFor();
  await shot("calendar-refused");
  await arrangement.getByLabel("每行一条").fill(lines);
  await arrangement.getByLabel("这是 2035 年的全部安排").check();
  await arrangement.getByRole("button", { name: "全部标注" }).click();
  await page.getByText("公司已录入全年的放假安排").waitFor();
  await page.locator("tr", { hasText: "2035-02-07 – 2035-02-13" }).getByText("公司标注").waitFor();
  const mark = page.locator("#mark");
  await mark.getByLabel("第一天").fill("2035-07-02");
  await mark.getByLabel("放假").check();
  await mark.getByLabel("名称").fill("厂休");
  await mark.getByRole("button", { name: "标注" }).click();
  const holiday = page.locator("tr", { hasText: "厂休" });
  await holiday.waitFor();
  await shot("calendar");
  await holiday.getByRole("button", { name: "取消标注" }).click();
  await holiday.waitFor({ state: "detached" });

  // All of it in the log, in words.
  await page.goto("/admin/audit?action=setting.");
  await page.locator("tr", { hasText: "修改设置" }).getByText("保留几份自动备份").waitFor();
  await page.goto("/admin/audit?action=backup.");
  for (const action of ["开始备份", "完成备份", "校验备份", "下载备份"]) {
    await page.locator("td", { hasText: action }).first().waitFor();
  }
  await shot("audit-of-backups");

  // Deleting asks once.
  await page.goto("/admin/backups");
  await page.locator("tbody tr").first().getByRole("button", { name: "删除" }).click();
  await page.getByText("不能恢复").waitFor();
  await shot("backup-delete");
  await page.getByRole("dialog").getByRole("button", { name: "删除" }).click();
  await page.getByText("还没有备份").waitFor();
});
