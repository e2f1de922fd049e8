// Forms: leave guard, check of a field when it is left, thousands under amounts, character counts.
const dirty = new WeakSet();
const guarded = () => [...document.querySelectorAll("form[data-guard]")].filter((form) => dirty.has(form));

kehu.unsaved = (within = document) => guarded().some((form) => within.contains(form));
// Asks before unsaved input is lost; true when it may be.
kehu.mayLeave = async (within = document) => {
  if (!kehu.unsaved(within)) return true;
  const given = await kehu.confirm({ title: kehu.word("unsavedTitle"), text: kehu.word("unsaved"), act: kehu.word("leave") });
  if (given) guarded().filter((form) => within.contains(form)).forEach((form) => dirty.delete(form));
  return given != null;
};

kehu.on("input", "form[data-guard]", (event, form) => dirty.add(form));
kehu.on("change", "form[data-guard]", (event, form) => dirty.add(form));
document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented && !event.target.matches("[hx-post],[hx-put],[hx-patch]")) dirty.delete(event.target);
});
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.response?.status < 400) dirty.delete(ctx.sourceElement);
});
// An answer with errors is a new form: what it holds is still unsaved.
document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = event.detail;
  if (ctx.response?.status === 422) document.querySelectorAll("form[data-guard]:has([aria-invalid=true])").forEach((form) => dirty.add(form));
  if (ctx.response?.status === 422) document.querySelector("[aria-invalid=true]")?.focus();
});
addEventListener("beforeunload", (event) => {
  if (guarded().length) event.preventDefault();
});

// data-validate="/path" on a form: POST of the form with `field`; the answer is the error as text, empty when fine.
const before = new WeakMap();
document.addEventListener("focusin", (event) => before.set(event.target, event.target.value));
document.addEventListener("focusout", async (event) => {
  const input = event.target;
  const form = input.form;
  const path = kehu.localPath(form?.dataset.validate);
  if (!path || !input.name || before.get(input) === input.value) return;
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value);
  body.set("field", input.name);
  const answer = await fetch(path, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => null);
  if (answer?.ok && input.isConnected) kehu.fieldError(input, (await answer.text()).trim());
});
kehu.fieldError = (input, text) => {
  const line = input.closest(".field")?.querySelector(".field-error");
  if (!line) return;
  line.textContent = text;
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
};
kehu.on("input", "[aria-invalid=true]", (event, input) => kehu.fieldError(input, ""));

const thousands = (input) => {
  const help = input.closest(".field")?.querySelector("[data-amount-shown]");
  const value = Number(input.value.replaceAll(",", ""));
  if (!help) return;
  help.textContent = input.value && Number.isFinite(value)
    ? value.toLocaleString("zh-CN", { style: "currency", currency: input.dataset.amount || "CNY" })
    : "";
};
kehu.each("[data-amount]", (input) => { thousands(input); input.addEventListener("input", () => thousands(input)); });
kehu.on("change", "[data-submit-on-change]", (event, element) => element.form?.requestSubmit());
kehu.on("click", "[data-reset]", (event, element) => {
  // Filters: empty every field, then ask again.
  const form = element.closest("form");
  for (const field of form.elements) {
    if (field.type === "checkbox" || field.type === "radio") field.checked = false;
    else if (field.matches("input:not([data-keep]), select, textarea")) field.value = "";
  }
  form.requestSubmit();
});
kehu.on("click", "[data-filters-more]", (event, element) => {
  const more = document.getElementById(element.getAttribute("aria-controls"));
  more.hidden = !more.hidden;
  more.querySelector("[name=more]").disabled = more.hidden;
  element.setAttribute("aria-expanded", String(!more.hidden));
  // In the address, so that a shared or reloaded page looks the same.
  const url = new URL(location.href);
  if (more.hidden) url.searchParams.delete("more");
  else url.searchParams.set("more", "1");
  history.replaceState(history.state, "", url);
});
// Ctrl+Enter sends the form one is typing in, unless Enter may not: its first button is disabled.
document.addEventListener("keydown", (event) => {
  const { form } = event.target;
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !form) return;
  if (!form.querySelector("[type=submit]")?.disabled) form.requestSubmit();
});
