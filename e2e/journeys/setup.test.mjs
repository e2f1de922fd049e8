import assert from "node:assert/strict";
import { journey } from "../lib/journey.mjs";
import { administrator } from "../lib/server.mjs";

journey("an empty database asks for company and administrator, then opens the workbench", {}, async (tools) => {
  const { page, shot } = tools;
  await page.goto("/");
  await page.waitForURL("**/setup");
  await shot("setup");

  for (const field of ["company", "name", "username", "password"]) {
    await page.locator(`[name="${field}"]`).fill(administrator[field]);
  }
  await page.locator('[name="password_again"]').fill(administrator.password);
  await page.locator('[name="password_again"]').press("Enter");

  await page.waitForURL((url) => url.pathname === "/");
  await page.getByText(administrator.company).first().waitFor();
  await shot("workbench-empty");

  // Whoever comes second finds the set-up closed.
  const second = await page.request.get("/setup", { maxRedirects: 0 });
  assert.notEqual(second.status(), 200);
});
