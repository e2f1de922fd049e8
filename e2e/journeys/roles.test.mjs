import assert from "node:assert/strict";
import { withPage } from "../lib/browser.mjs";
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

// Signs a colleague in for the first time in a browser of his own, beside the others.
async function colleague(server, username, body) {
  await withPage(server.url, async (page, tools) => {
    await begin(page, username);
    await body(page, tools);
  });
}

// covers: CI-04
journey("two colleagues side by side: one with a role, one without, and why one is refused", { setup: true }, async (tools) => {
  const { page, server, shot } = tools;
  const call = program(tools);
  const person = (username, name) => call("POST", "/api/v1/people", { username, name, password, roles: ["staff"] });
  const [li, wang] = [await person("li", "李四"), await person("wang", "王五")];
  const customer = await call("POST", "/api/v1/customers", { kind: "person", name: "苏东坡", phone: "13987654321" });

  // A role is defined and given to one of them.
  await signIn(page, administrator.username, administrator.password);
  await page.goto("/admin/roles/new");
  await page.locator("[name=name]").fill("客户查阅");
  await page.locator("[name='scope.customer.read']").selectOption("all");
  await page.locator(".role-fields", { has: page.locator("[name='rule.customer.phone']") }).locator("summary").click();
  await page.locator("[name='rule.customer.phone'][value=masked]").check();
  await page.getByRole("button", { name: "保存" }).click();
  await page.waitForURL((url) => /^\/admin\/roles\/[0-9A-Z]{13}$/.test(url.pathname));
  const role = page.url().split("/").at(-1);
  await call("POST", `/api/v1/people/${li.id}/roles`, { role });

  // Both are signed in at the same time, on the same list and the same page.
  await colleague(server, "li", async (his) => {
    await colleague(server, "wang", async (hers) => {
      await Promise.all([his.goto("/customers"), hers.goto("/customers")]);
      await his.locator(".data-table", { hasText: "苏东坡" }).waitFor();
      assert.match(await his.locator(".data-table").innerText(), /139\*{4}4321/);
      assert.doesNotMatch(await hers.content(), /苏东坡/);
      const path = `/customers/${customer.id}`;
      const [seen, refused] = await Promise.all([his.goto(path), hers.goto(path)]);
      assert.deepEqual([seen.status(), refused.status()], [200, 404]);
      assert.doesNotMatch(await hers.content(), /苏东坡|13987654321/);
      assert.doesNotMatch(await his.content(), /13987654321/);

      // Taken back and given to the other one, each feels it with the next click.
      await call("DELETE", `/api/v1/people/${li.id}/roles/${role}`);
      await call("POST", `/api/v1/people/${wang.id}/roles`, { role });
      const [gone, come] = await Promise.all([his.goto(path), hers.goto(path)]);
      assert.deepEqual([gone.status(), come.status()], [404, 200]);
    });
  });

  // The refusal, explained: none of his roles, and which one would do.
  await page.goto(`/admin/explain?person=${li.id}&customer=${customer.id}`);
  const share = page.locator(".explained > li", { hasText: "客户·共享" });
  await share.locator("summary").click();
  await share.getByText("的 1 个角色都没有“客户·共享”权限").waitFor();
  const read = page.locator(".explained > li", { hasText: "客户·查看" });
  await read.getByText("范围：全部，包括这个客户").first().waitFor();
  await read.getByRole("link", { name: "客户查阅" }).waitFor();
  await shot("explained-refusal");
  await page.goto(`/admin/role-compare?a=${li.id}&b=${wang.id}&only=1`);
  await page.getByText("全部 · 客户查阅 · 直接授予").first().waitFor();
  await page.getByText("脱敏：范围 全部 · 客户查阅 · 直接授予").first().waitFor();
  await shot("compare");

  // Looked at again later, and confirmed.
  await page.goto("/admin/role-review");
  await page.locator("tr", { hasText: "客户查阅" }).getByText("王五").waitFor();
  await shot("review");
  await page.locator("tr", { hasText: "客户查阅" }).getByRole("button", { name: "确认" }).click();
  await page.getByText("已确认 1 项授权").waitFor();
});

// covers: CF-02
journey("whoever handles customer information is registered, reads and signs", { setup: true }, async (tools) => {
  const { page, server, shot } = tools;
  const call = program(tools);
  const wang = await call("POST", "/api/v1/people", { username: "wang", name: "王五", password, roles: ["staff_all"] });
  await call("POST", "/api/v1/customers", { kind: "person", name: "苏东坡", phone: "13987654321" });

  await signIn(page, administrator.username, administrator.password);
  await page.goto("/admin/handlers");
  await page.getByText("登记表里还没有人").waitFor();
  await shot("handlers-empty");
  await page.getByRole("link", { name: "编写文本" }).click();
  await shot("pledge-draft");
  await page.getByRole("button", { name: "发布" }).click();
  await page.locator("#confirm [data-role=yes]").click();
  await page.getByText("已发布第 1 版").waitFor();
  await page.goto("/admin/handlers");
  await page.locator("[name=is_on]").check();
  await page.getByRole("button", { name: "保存" }).click();
  await page.locator("#confirm [data-role=yes]").click();
  await page.getByText("已启用").first().waitFor();

  await colleague(server, "wang", async (hers, watched) => {
    // Not registered: led to the page that says whom to ask.
    await hers.goto("/customers");
    await hers.waitForURL((url) => url.pathname === "/confidentiality");
    await hers.getByText("您还没有登记为客户信息人员").waitFor();
    await watched.shot("pledge-unregistered");

    await page.locator("#f-person_id").fill("王五");
    await page.locator("#o-person_id [role=option]", { hasText: "王五" }).click();
    await page.getByRole("button", { name: "加入登记表" }).click();
    await page.locator("tr", { hasText: "王五" }).getByText("待签署").waitFor();

    await hers.goto("/");
    await hers.getByText("请先签署现行的保密承诺").waitFor();
    await hers.getByLabel("已阅读并承诺遵守以上内容").check();
    await hers.locator("[name=name]").fill("王六");
    await hers.getByRole("button", { name: "签署" }).click();
    await hers.getByText("请输入您自己的姓名").first().waitFor();
    await watched.shot("pledge");
    await hers.locator("[name=name]").fill("王五");
    await hers.locator("[name=name]").press("Enter");
    await hers.waitForURL((url) => url.pathname === "/");
    await hers.goto("/customers");
    await hers.locator(".data-table", { hasText: "苏东坡" }).waitFor();
  });

  await page.goto("/admin/handlers");
  await page.locator("tr", { hasText: "王五" }).getByText("已签署").waitFor();
  await shot("handlers");
  assert.equal((await call("GET", `/api/v1/people/${wang.id}`)).name, "王五");
});
