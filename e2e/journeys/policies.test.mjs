import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { journey } from "../lib/journey.mjs";
import { administrator } from "../lib/server.mjs";

async function signIn(page) {
  await page.goto("/login");
  await page.locator("[name=username]").fill(administrator.username);
  await page.locator("[name=password]").fill(administrator.password);
  await page.locator("[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname !== "/login");
}

// The blocks of the guide, as its reader copies them.
function guide() {
  const text = readFileSync(path.resolve(import.meta.dirname, "../../docs/write-a-regulation.md"), "utf8");
  const files = new Map();
  for (const [, name, body] of text.matchAll(/```toml\n# (\S+)\n([\s\S]*?)```/g)) {
    files.set(name, `${files.get(name) ?? ""}${body}\n`);
  }
  return files;
}

async function confirm(page, act) {
  await page.locator("dialog[open]").getByRole("button", { name: act, exact: true }).click();
}

journey("a manager takes a regulation that comes with the system, sets its numbers, publishes it, and people read it", { setup: true }, async ({ page, shot }) => {
  await signIn(page);
  await page.goto("/policies");
  await page.getByRole("heading", { name: "随附的制度" }).waitFor();
  await shot("policies-empty");
  await page.locator("li", { hasText: "门店客户投诉处理办法" }).getByRole("button", { name: "采用" }).click();
  await page.waitForURL((url) => /^\/policies\/[0-9A-Z]{13}$/.test(url.pathname));
  const home = new URL(page.url()).pathname;
  await shot("policy-draft");
  await page.getByRole("link", { name: "参数", exact: true }).click();
  await page.locator("[name='s.report_day']").fill("31");
  await page.getByRole("button", { name: "保存" }).click();
  await page.getByText("不能大于 28").first().waitFor();
  await shot("policy-settings-refused");
  await page.locator("[name='s.report_day']").fill("5");
  await page.getByRole("button", { name: "保存" }).click();
  await page.waitForURL((url) => url.pathname.endsWith("/settings"));
  await page.getByRole("link", { name: "发布" }).click();
  await page.locator("[name=note]").fill("第一次施行");
  await shot("policy-publication");
  await page.getByRole("button", { name: "发布" }).click();
  await confirm(page, "发布");
  await page.waitForURL((url) => url.pathname === home);
  await page.getByText("施行中").first().waitFor();
  await page.getByRole("button", { name: "我已阅读" }).click();
  await page.getByText(/您于 .* 确认阅读/).waitFor();
  await shot("policy");
  await page.getByText("流程图").first().click();
  await page.locator(".policy-diagram svg").first().waitFor();
  await page.locator(".policy-diagram").first().scrollIntoViewIfNeeded();
  await shot("policy-process");
  // A clause beside whatever cites it.
  await page.locator(".policy-steps .clause").first().click();
  await page.locator("#drawer-body .policy-clause").first().waitFor();
  await shot("policy-clause");
  await page.keyboard.press("Escape");
  await page.goto(`${home}/compliance?period=year`);
  await page.locator("table.compliance").waitFor();
  await shot("policy-compliance");
  await page.goto("/policies");
  await shot("policies");
});

journey("a regulation is written in the browser: mistakes are told beside the lines, scenarios prove it, a newer version is compared", { setup: true }, async ({ page, shot }) => {
  const files = guide();
  assert.ok(files.size > 7);
  await signIn(page);
  await page.goto("/policies/new");
  await page.locator("[name=title]").fill("钥匙借用管理规定");
  await page.locator("[name=id]").fill("key-lending");
  await page.getByRole("button", { name: "建立草稿" }).click();
  await page.waitForURL((url) => url.pathname.endsWith("/edit"));
  const home = new URL(page.url()).pathname.replace(/\/edit$/, "");
  for (const [name, text] of files) {
    const known = page.locator(".code-files a", { hasText: name });
    if ((await known.count()) === 0) {
      await page.locator(".code-add summary").click();
      await page.locator("[name=add]").fill(name);
      await page.getByRole("button", { name: "新建" }).click();
    } else {
      await known.click();
    }
    await page.locator(".code-head h2", { hasText: name }).waitFor();
    await page.locator("textarea.code-text").fill(text);
    await page.getByRole("button", { name: "保存" }).click();
    await page.getByText("已保存").first().waitFor();
    await page.waitForURL((url) => url.searchParams.get("file") === name);
  }
  await page.goto(`${home}/edit?file=process.toml`);
  await page.getByText("没有发现错误").waitFor();
  // A slip while typing.
  const box = page.locator("textarea.code-text");
  const right = await box.inputValue();
  await box.fill(right.replace('by = "role:keeper"', 'by = "role:keper"'));
  await page.locator("[data-code-line]").first().waitFor();
  assert.ok((await page.locator(".code-gutter .is-wrong").count()) > 0);
  await shot("policy-edit-wrong");
  await page.locator("[data-code-line]").first().click();
  assert.ok(await box.evaluate((it) => document.activeElement === it && it.selectionEnd > it.selectionStart));
  await box.fill(right);
  await page.getByText("没有发现错误").waitFor();
  // Tab writes spaces; Escape, then Tab, goes on.
  await box.evaluate((it) => it.setSelectionRange(0, 0));
  await box.press("Tab");
  assert.ok((await box.inputValue()).startsWith("  "));
  await box.press("Escape");
  await box.press("Tab");
  assert.ok(await box.evaluate((it) => document.activeElement !== it));
  await box.fill(right);
  await page.getByRole("button", { name: "运行情景测试" }).click();
  await page.getByText("3 个情景全部通过").waitFor();
  await shot("policy-edit-tested");
  await page.getByRole("button", { name: "保存" }).click();
  await page.getByText("已保存").first().waitFor();
  await page.goto(`${home}/publication`);
  await page.getByRole("button", { name: "发布" }).click();
  await confirm(page, "发布");
  await page.getByText("施行中").first().waitFor();
  await shot("policy-own");
  // Only a number changes.
  await page.getByRole("button", { name: "改参数" }).click();
  await page.waitForURL((url) => url.pathname.endsWith("/settings"));
  const draft = new URL(page.url()).pathname.replace(/\/settings$/, "");
  await page.locator("[name='s.return_within']").fill("2wd@24:00");
  await page.getByRole("button", { name: "保存" }).click();
  await page.getByText("已保存").first().waitFor();
  await page.goto(`${draft}/publication`);
  await page.getByText("归还期限").first().waitFor();
  await shot("policy-changes");
  await page.goto(draft);
  await page.getByRole("button", { name: "作废" }).click();
  await confirm(page, "作废");
  await page.waitForURL((url) => url.pathname === "/policies");
});
