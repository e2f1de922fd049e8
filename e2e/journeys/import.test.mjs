import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { as } from "../lib/company.mjs";
import { journey } from "../lib/journey.mjs";
import { administrator } from "../lib/server.mjs";

const table = ["客户名称,手机,备注", "广州天江科技有限公司,13800138000,第一家", "红星机械厂,打不通,第二家", "张三,13800138002,第三家"].join("\n");

journey("a list with an error is checked, imported, corrected and imported again", {}, async ({ page, shot }) => {
  await page.goto("/setup");
  for (const field of ["company", "name", "username", "password"]) {
    await page.locator(`[name="${field}"]`).fill(administrator[field]);
  }
  await page.locator('[name="password_again"]').fill(administrator.password);
  await page.locator('[name="password_again"]').press("Enter");
  await page.waitForURL((url) => url.pathname === "/");

  await page.goto("/imports/new");
  await shot("import-upload");
  const upload = (name, text) =>
    page.locator("input[type=file]").setInputFiles({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
  await upload("客户.csv", table);
  await page.locator("#map-form").waitFor();
  assert.equal(await page.locator('[name="mapping.0"]').inputValue(), "name");
  assert.equal(await page.locator('[name="mapping.1"]').inputValue(), "phone");
  await shot("import-columns");

  await page.locator("#map-form button[type=submit]").click();
  await page.locator("#problems").waitFor();
  await page.getByText("红星机械厂").first().waitFor();
  await shot("import-checked");
  await page.locator('form[action$="/run"] button[type=submit]').click();

  const download = page.locator('a[href$="/errors"]');
  await download.waitFor();
  await shot("import-result");
  const [file] = await Promise.all([page.waitForEvent("download"), download.click()]);
  const bytes = await readFile(await file.path());
  assert.equal(bytes.subarray(0, 2).toString(), "PK", "a workbook");

  await page.goto("/imports/new");
  await upload("改好.csv", "错误原因,原行号,客户名称,手机,备注\n手机：不对,3,红星机械厂,13800138001,第二家");
  await page.locator("#map-form button[type=submit]").click();
  const run = page.locator('form[action$="/run"] button[type=submit]');
  await run.waitFor();
  await run.click();
  await page.getByText("全部导入完成").waitFor();
  await page.goto("/customers");
  for (const name of ["广州天江科技有限公司", "红星机械厂", "张三"]) await page.locator("tbody").getByText(name).first().waitFor();
  await page.goto("/imports");
  await page.getByText("改好.csv").first().waitFor();
  await shot("imports");
});

journey("another row of headings is chosen, and rows that were skipped are shown", { setup: true }, async ({ page, shot }) => {
  await as(page, administrator.username);
  const list = ["制表部门,销售部", "核对人,李四", "客户名称,手机", "广州天江科技有限公司,13800138000", ""].join("\n");
  for (const round of [1, 2]) {
    await page.goto("/imports/new");
    await page.locator("input[type=file]").setInputFiles({ name: "名单.csv", mimeType: "text/csv", buffer: Buffer.from(round === 1 ? list : `${list}红星机械厂,13800138001\n`) });
    await page.getByText("自动识别：第 1 行").waitFor();
    await page.locator("[name=header_row]").fill("99");
    await page.getByRole("button", { name: "重新读取" }).click();
    await page.getByText("第 99 行及以下没有内容").waitFor();
    if (round === 1) await shot("import-table-refused");
    await page.locator("[name=header_row]").fill("3");
    await page.locator("[name=header_row]").press("Enter");
    await page.locator(".import-map strong", { hasText: "客户名称" }).waitFor();
    assert.equal(await page.locator('[name="mapping.0"]').inputValue(), "name");
    if (round === 1) await shot("import-table");
    await page.locator("#map-form button[type=submit]").click();
    await page.locator('form[action$="/run"] button[type=submit]').click();
    await page.getByText("全部导入完成").waitFor();
  }
  await page.locator("#skipped").getByRole("link", { name: "广州天江科技有限公司" }).waitFor();
  await shot("import-skipped");
  // Another sheet is read as soon as it is chosen.
  const template = await (await page.request.get("/imports/template.xlsx")).body();
  await page.goto("/imports/new");
  await page.locator("input[type=file]").setInputFiles({ name: "模板.xlsx", mimeType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", buffer: template });
  await page.locator(".import-map strong", { hasText: "客户名称" }).waitFor();
  const sheets = await page.locator("[name=sheet] option").allTextContents();
  await page.locator("[name=sheet]").selectOption(sheets[1]);
  await page.locator(".import-map strong", { hasText: "客户名称" }).waitFor({ state: "detached" });
  assert.equal(await page.locator("[name=sheet]").inputValue(), sheets[1]);
  await shot("import-sheet");
  await page.goto("/customers?q=guangztj");
  await page.locator("tbody mark, tbody a", { hasText: "广州天江" }).first().waitFor();
});

journey("an import with numbers is taken back and imported again, and what is unclear is shown", {}, async ({ page, shot }) => {
  await page.goto("/setup");
  for (const field of ["company", "name", "username", "password"]) {
    await page.locator(`[name="${field}"]`).fill(administrator[field]);
  }
  await page.locator('[name="password_again"]').fill(administrator.password);
  await page.locator('[name="password_again"]').press("Enter");
  await page.waitForURL((url) => url.pathname === "/");

  const list = ["客户编号,客户名称,手机,备注", "A001,广州天江科技有限公司,013800138000,第一家", "A002,红星机械厂,13800138001"].join("\n");
  for (const round of [1, 2]) {
    await page.goto("/imports/new");
    await page.locator("input[type=file]").setInputFiles({ name: "编号.csv", mimeType: "text/csv", buffer: Buffer.from(list) });
    await page.locator("#map-form button[type=submit]").click();
    await page.locator("#doubts").getByText("本行只有 3 格").waitFor();
    if (round === 1) await shot("import-doubts");
    await page.locator('form[action$="/run"] button[type=submit]').click();
    await page.getByText("全部导入完成").waitFor();
    await page.locator("#doubts").waitFor();
    if (round === 2) break;
    await page.locator('form[action$="/undo"] button[type=submit]').click();
    await page.locator("#confirm [data-role=yes]").click();
    await page.getByText("已撤销 2 行").waitFor();
  }
  for (const [number, name] of [["A001", "广州天江科技有限公司"], ["A002", "红星机械厂"]]) {
    await page.goto(`/customers?q=${number}`);
    await page.locator("tbody").getByText(name).first().waitFor();
  }
});
