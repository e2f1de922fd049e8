import assert from "node:assert/strict";
import { journey } from "../lib/journey.mjs";
import { administrator } from "../lib/server.mjs";

const password = "Kehu-2026-e2e-staff";

// Calls the API as the administrator.
function program({ server }) {
  const printed = server.kehu(["token", "new", "--user", administrator.username, "--name", "e2e"]);
  const token = printed.trim().split("\n").at(-1);
  return async (method, path, body) => {
    const answer = await fetch(`${server.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
    return answer.status === 204 ? null : answer.json();
  };
}

async function signIn(page, username, word) {
  await page.goto("/login");
  await page.locator("[name=username]").fill(username);
  await page.locator("[name=password]").fill(word);
  await page.locator("[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname !== "/login");
}

// A colleague signs in for the first time and chooses a password of his own.
async function begin(page, username) {
  await page.context().clearCookies();
  await signIn(page, username, password);
  const own = `${password}-own`;
  await page.locator("[name=current]").fill(password);
  await page.locator("[name=password]").fill(own);
  await page.locator("[name=password_again]").fill(own);
  await page.locator("[name=password_again]").press("Enter");
  await page.waitForURL((url) => url.pathname !== "/me/password");
}

// covers: CI-04
journey("a role is defined in the matrix, given, felt by two people, and explained", { setup: true }, async (tools) => {
  const { page, shot } = tools;
  const call = program(tools);
  const person = (username, name) => call("POST", "/api/v1/people", { username, name, password, roles: ["staff"] });
  const li = await person("li", "李四");
  await person("wang", "王五");
  const customer = await call("POST", "/api/v1/customers", {
    kind: "person", name: "苏东坡", phone: "13987654321", level: "A",
  });
  await call("POST", "/api/v1/customers", { kind: "person", name: "陆放翁", phone: "13812345678" });

  // The matrix: a condition with a mistake is told at its cell, the rest stays as typed.
  await signIn(page, administrator.username, administrator.password);
  await page.goto("/admin/roles");
  await shot("roles");
  await page.getByRole("link", { name: "新建角色" }).click();
  await page.locator("[name=name]").fill("重点客户专员");
  await page.locator("[name='scope.customer.read']").selectOption("condition");
  await page.locator("[name='condition.customer.read']").fill('levle == "A"');
  await page.locator(".role-fields", { has: page.locator("[name='rule.customer.phone']") }).locator("summary").click();
  await page.locator("[name='rule.customer.phone'][value=masked]").check();
  await page.getByRole("button", { name: "保存" }).click();
  await page.locator(".is-wrong .field-error").waitFor();
  assert.equal(await page.locator("[name=name]").inputValue(), "重点客户专员");
  await shot("role-refused");
  await page.locator("[name='condition.customer.read']").fill('level == "A"');
  await page.getByRole("button", { name: "保存" }).click();
  await page.waitForURL((url) => /^\/admin\/roles\/[0-9A-Z]{13}$/.test(url.pathname));
  await page.getByText("共 0 人拥有这个角色").waitFor();
  const role = page.url().split("/").at(-1);

  // Given to one of two colleagues.
  await page.goto(`/admin/people/${li.id}/roles`);
  await page.locator("[name=role]").last().selectOption(role);
  await page.locator("[name=reason]").fill("负责重点客户");
  await page.getByRole("button", { name: "授予", exact: true }).click();
  await page.locator("td", { hasText: "负责重点客户" }).first().waitFor();
  await shot("person-roles");

  // What a change would mean is told before it is saved.
  await page.goto(`/admin/roles/${role}`);
  await page.locator("#role-effect td", { hasText: "李四" }).waitFor();
  await page.locator("[name='scope.customer.read']").selectOption("all");
  await page.locator("#role-effect td", { hasText: "陆放翁" }).waitFor();
  await shot("role-effect");

  // The two see a difference.
  await begin(page, "li");
  await page.goto("/customers");
  await page.locator(".data-table", { hasText: "苏东坡" }).waitFor();
  assert.match(await page.locator(".data-table").innerText(), /139\*{4}4321/);
  assert.doesNotMatch(await page.content(), /13987654321|陆放翁/);
  await page.goto(`/customers/${customer.id}`);
  await page.getByRole("link", { name: "为什么能看到？" }).first().click();
  await page.getByText("按条件：level").first().waitFor();
  await begin(page, "wang");
  const answer = await page.goto(`/customers/${customer.id}`);
  assert.equal(answer.status(), 404);

  // The refusal explained to the administrator.
  await page.context().clearCookies();
  await signIn(page, administrator.username, administrator.password);
  const wang = (await call("GET", "/api/v1/people?q=wang")).items[0];
  await page.goto(`/admin/explain?person=${wang.id}&customer=${customer.id}`);
  await page.getByText("角色“员工（本人客户）”（直接授予）允许“客户·查看”，范围：本人；但客户负责人：").first().waitFor();
  await shot("explained");

  // Shared with him, he sees it.
  await page.goto(`/customers/${customer.id}?tab=shares`);
  await page.locator(".shares form[action$='/shares'] [role=combobox]").fill("王五");
  await page.locator(".shares form[action$='/shares'] [role=option]", { hasText: "王五" }).click();
  await page.locator(".shares form[action$='/shares'] [name=role]").selectOption({ label: "共享：只看" });
  await page.locator(".shares form[action$='/shares'] [name=reason]").fill("一起拜访");
  await page.getByRole("button", { name: "共享", exact: true }).click();
  await page.locator(".shares td", { hasText: "王五" }).waitFor();
  await shot("shares");
});
