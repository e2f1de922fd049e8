import assert from "node:assert/strict";
import { journey } from "../lib/journey.mjs";
import { administrator } from "../lib/server.mjs";

// Signs in and makes customers as a program would.
async function begin({ page, server }, customers) {
  const printed = server.kehu(["token", "new", "--user", administrator.username, "--name", "e2e"]);
  const token = printed.trim().split("\n").at(-1);
  for (const customer of customers) {
    const answer = await fetch(`${server.url}/api/v1/customers`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify(customer),
    });
    assert.equal(answer.status, 201, await answer.text());
  }
  await page.goto("/login");
  await page.locator("[name=username]").fill(administrator.username);
  await page.locator("[name=password]").fill(administrator.password);
  await page.locator("[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname === "/");
}

journey("Ctrl-K finds a customer by initials and by the last digits of a phone, Enter opens it", { setup: true }, async (tools) => {
  const { page, shot } = tools;
  await begin(tools, [
    { kind: "organisation", name: "广州天江科技有限公司", phone: "13812345678" },
    { kind: "person", name: "张三", phone: "13900001111" },
  ]);
  await shot("workbench");

  await page.keyboard.press("Control+k");
  await page.keyboard.type("gztj");
  const first = page.locator("#command-list [role=option]").first();
  await first.locator("mark", { hasText: "广州天江" }).waitFor();
  await shot("command-menu");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/customers\/[0-9A-Za-z]{13}/);
  await page.getByText("广州天江科技有限公司").first().waitFor();

  await page.keyboard.press("Control+k");
  await page.keyboard.type("1111");
  await page.locator("#command-list mark", { hasText: "1111" }).waitFor();
  assert.match(await first.innerText(), /张三/);
  await page.keyboard.press("Enter");
  await page.getByText("张三").first().waitFor();

  // Pages are found by the initials of their names; the arrow keys choose.
  await page.goto("/");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("sysc");
  await page.locator("#command-list [role=option]", { hasText: "使用手册" }).waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL("**/help");

  // The page of results lists the same hits, and says so when there are none.
  await page.goto("/search?q=天江");
  await page.locator("main mark", { hasText: "天江" }).first().waitFor();
  await shot("results");
  await page.locator("main [name=q]").fill("没有这个人");
  await page.locator("main [name=q]").press("Enter");
  await page.getByText("没有找到“没有这个人”").waitFor();
});
