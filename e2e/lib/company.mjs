// A company for journeys over regulations: units, people in their posts, regulations in force.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { administrator } from "./server.mjs";

const regulations = path.resolve(import.meta.dirname, "../../policies");
const password = "Kehu-2026-e2e-staff";

/** Calls the API as somebody: `await call("POST", "/api/v1/units", { … })` answers what the server answered. */
export function program(server, username = administrator.username) {
  const printed = server.kehu(["token", "new", "--user", username, "--name", "e2e"]);
  const token = printed.trim().split("\n").at(-1);
  return async (method, address, body, headers = {}) => {
    const answer = await fetch(`${server.url}${address}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    assert.ok(answer.ok, `${method} ${address}: ${answer.status} ${await answer.clone().text()}`);
    return answer.status === 204 ? null : answer.json();
  };
}

/** Publishes a regulation that comes with the system. */
export async function enact(call, name) {
  const folder = path.join(regulations, name);
  const names = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith(".toml"));
  const files = names.map((file) => ({ name: file, text: readFileSync(path.join(folder, file), "utf8") }));
  const draft = await call("POST", "/api/v1/policies", { files });
  assert.deepEqual(draft.problems, [], `${name} has mistakes`);
  await call("POST", `/api/v1/policies/${draft.id}/publication`, {}, { "If-Match": String(draft.row_version) });
}

/**
 * Makes units and people.
 *
 * @param {object} server of startServer({ setup: true })
 * @param {object} plan `units`: key → { name, kind, in?, head? }, those above first; `people`: user name → { name, at,
 *   post, and: [[unit, post]…], skills: […], role: "staff" }; `policies`: names of regulations that come with the system
 * @returns {Promise<{call: Function, units: Record<string, string>, people: Record<string, string>}>} ids by key
 */
export async function company(server, { units, people, policies = [] }) {
  const call = program(server);
  const made = { call, units: {}, people: {} };
  for (const [key, unit] of Object.entries(units)) {
    const above = unit.in ? made.units[unit.in] : undefined;
    made.units[key] = (await call("POST", "/api/v1/units", { name: unit.name, kind: unit.kind, parent_id: above })).id;
  }
  for (const [username, person] of Object.entries(people)) {
    const role = person.role ?? "staff";
    const added = ["user", "add", "--username", username, "--name", person.name, "--role", role, "--password-stdin"];
    const printed = server.kehu(added, { input: `${password}\n` });
    const id = printed.trim().split(" ").at(-1);
    made.people[username] = id;
    for (const [at, post] of [[person.at, person.post], ...(person.and ?? [])]) {
      await call("POST", `/api/v1/people/${id}/positions`, { unit_id: made.units[at], post });
    }
    for (const skill of person.skills ?? []) await call("PUT", `/api/v1/people/${id}/skills/${skill}`, { level: 4 });
  }
  for (const [key, { head }] of Object.entries(units)) {
    if (!head) continue;
    const address = `/api/v1/units/${made.units[key]}`;
    const { version } = await call("GET", address);
    await call("PATCH", address, { head_id: made.people[head] }, { "If-Match": String(version) });
  }
  for (const name of policies) await enact(call, name);
  return made;
}

const sessions = new WeakMap();
/** Lets somebody of the company use this page: signs him in the first time, and brings his session back afterwards. */
export async function as(page, username) {
  const context = page.context();
  if (!sessions.has(context)) sessions.set(context, new Map());
  const kept = sessions.get(context);
  await context.clearCookies();
  if (kept.has(username)) return context.addCookies(kept.get(username));
  await page.goto("/login");
  await page.locator("[name=username]").fill(username);
  await page.locator("[name=password]").fill(username === administrator.username ? administrator.password : password);
  await page.locator("[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname !== "/login");
  kept.set(username, await context.cookies());
}

/** Chooses a record in a field that is looked up while it is typed. */
export async function pick(scope, field, words) {
  const box = scope.locator(`[data-picker]:has([name="${field}"])`);
  await box.locator("[role=combobox]").fill(words);
  await box.locator("[role=option]", { hasText: words }).first().click();
}

/** The form of an action on the page of a case, unfolded. */
export async function action(page, id) {
  const box = page.locator(`[id="act-${id}"]`);
  if ((await box.getAttribute("open")) === null) await box.locator("> summary").click();
  return box;
}

/** Fills the fields of a form of a regulation by the names it gives them: text, dates, choices. */
export async function fill(scope, values) {
  for (const [field, value] of Object.entries(values)) {
    const input = scope.locator(`[name="v.${field}"]:not([type=hidden])`).first();
    const kind = await input.evaluate((element) => element.type);
    if (kind === "select-one") await input.selectOption(value);
    else if (kind === "radio" || kind === "checkbox") {
      for (const one of [value].flat()) await scope.locator(`[name="v.${field}"][value="${one}"]`).check();
    } else await input.fill(value);
  }
}

/** Sends the form of an action, and waits until the case stands at the next step. */
export async function send(page, box, state) {
  await box.locator("button[type=submit]").first().click();
  await stands(page, state);
}

/** Waits until the case on this page stands there. */
export const stands = (page, state) => page.locator("#case-card .drawer-meta .pill", { hasText: state }).waitFor();

/** Signs on glass. */
export async function sign(page, field) {
  const box = page.locator(`[data-signature="${field}"]`);
  const canvas = box.locator("canvas");
  await canvas.scrollIntoViewIfNeeded();
  const { width, height } = await canvas.boundingBox();
  // Only where nothing that passes by, such as a message, lies on the glass.
  await canvas.click({ trial: true, position: { x: width * 0.2, y: height * 0.6 } });
  const { x, y } = await canvas.boundingBox();
  const at = (across, down) => [x + width * across, y + height * down];
  await page.mouse.move(...at(0.2, 0.6));
  await page.mouse.down();
  for (const [across, down] of [[0.3, 0.3], [0.4, 0.7], [0.5, 0.35], [0.6, 0.7], [0.75, 0.4]]) {
    await page.mouse.move(...at(across, down), { steps: 4 });
  }
  await page.mouse.up();
  await box.getByText("已签名").waitFor();
}

const local = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" });
/** A day of the company's calendar, so many days from today. */
export const day = (days = 0) => local.format(Date.now() + days * 86_400_000);
