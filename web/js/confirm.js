// data-confirm="question" on a button, link or form asks first. With data-confirm-reason the person must give a
// reason, sent as `reason`; with data-confirm-type="词" that word must be typed. Meant for what cannot be undone.
let answer = null;
const dialog = () => document.getElementById("confirm");

kehu.confirm = ({ text, title = "", act = "", reason = false, type = "", danger = true }) => new Promise((resolve) => {
  const box = dialog();
  document.querySelectorAll("details[data-menu][open]").forEach((menu) => (menu.open = false));
  if (!box || box.open) return resolve(box ? null : { reason: "" });
  box.classList.toggle("danger", danger);
  box.querySelector("[data-role=title]").textContent = title || kehu.word("sure");
  box.querySelector("[data-role=text]").textContent = text;
  const yes = box.querySelector("[data-role=yes]");
  yes.textContent = act || kehu.word("yes");
  yes.className = danger ? "btn btn-danger" : "btn btn-primary";
  const field = box.querySelector("[data-role=field]");
  const input = field.querySelector("textarea");
  field.hidden = !reason && !type;
  field.querySelector("label").textContent = type ? kehu.word("typeWord").replace("{}", type) : kehu.word("reason");
  input.value = "";
  const check = () => { yes.disabled = type ? input.value.trim() !== type : reason && input.value.trim() === ""; };
  input.oninput = check;
  check();
  answer = (given) => { answer = null; resolve(given ? { reason: input.value.trim() } : null); };
  box.returnValue = "";
  box.showModal();
  (field.hidden ? box.querySelector("[data-role=no]") : input).focus();
});

document.addEventListener("close", (event) => {
  if (event.target === dialog()) answer?.(event.target.returnValue === "yes");
}, true);

const ask = (element) => kehu.confirm({
  text: element.dataset.confirm,
  title: element.dataset.confirmTitle,
  act: element.dataset.confirmAct,
  reason: element.hasAttribute("data-confirm-reason"),
  type: element.dataset.confirmType,
  danger: element.dataset.confirmKind !== "calm",
});

const asked = new WeakMap();
const guardEvent = (event, element) => {
  if (asked.has(element)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  // It is not on its way yet: what keeps a second click from sending it twice must not keep the answer from it.
  delete element.dataset.sending;
  const submitter = event.submitter;
  ask(element).then((given) => {
    if (!given) return;
    asked.set(element, given.reason);
    if (event.type === "submit") element.requestSubmit(submitter);
    else element.click();
    queueMicrotask(() => setTimeout(() => asked.delete(element), 0));
  });
};
document.addEventListener("click", (event) => {
  const element = event.target.closest?.("[data-confirm]");
  if (element && !element.matches("form")) guardEvent(event, element);
}, true);
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-confirm]")) return;
  guardEvent(event, form);
  const reason = asked.get(form);
  if (reason && !event.defaultPrevented) {
    let field = form.querySelector("input[type=hidden][name=reason]");
    if (!field) {
      field = document.createElement("input");
      field.type = "hidden";
      field.name = "reason";
      form.append(field);
    }
    field.value = reason;
  }
}, true);
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  const reason = asked.get(ctx.sourceElement);
  if (reason) ctx.request.body.set("reason", reason);
});
