// Toasts. From the server: `HX-Trigger: {"toast": {"text": "…", "kind": "good|warn|bad", "undo": "/path"}}`
// or an element `<div data-toast="good" data-undo="/path">…</div>` anywhere in an answer.
const holder = () => document.getElementById("toasts");

const button = (text, name, act) => {
  const element = document.createElement("button");
  element.type = "button";
  element.className = name;
  element.textContent = text;
  element.addEventListener("click", act);
  return element;
};

const symbol = (name) => {
  const icons = document.body.dataset.icons;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${icons}#${name}`);
  svg.append(use);
  return svg;
};

kehu.toast = ({ text, kind = "good", undo = "" }) => {
  if (!text || !holder()) return;
  const item = document.createElement("div");
  item.className = `toast-item ${kind}`;
  item.setAttribute("role", kind === "bad" ? "alert" : "status");
  const words = document.createElement("span");
  words.textContent = text;
  item.append(symbol(kind === "good" ? "circle-check" : "alert-circle"), words);
  const path = undo && kehu.localPath(undo);
  const remove = () => item.remove();
  if (path) item.append(button(kehu.word("undo"), "undo", () => { remove(); htmx.ajax("POST", path, { source: document.body, swap: "none" }); }));
  item.append(button("✕", "close", remove));
  item.lastChild.setAttribute("aria-label", kehu.word("close"));
  holder().append(item);
  while (holder().children.length > 3) holder().firstChild.remove();
  // The clock stands still while the pointer or the focus is on it.
  let left = path || kind === "bad" ? 8000 : 4000;
  const clock = setInterval(() => {
    if (!item.isConnected) return clearInterval(clock);
    if (item.matches(":hover, :focus-within")) return;
    left -= 250;
    if (left <= 0) { clearInterval(clock); remove(); }
  }, 250);
};

document.addEventListener("toast", (event) => kehu.toast(event.detail));
kehu.each("[data-toast]", (element) => {
  kehu.toast({ text: element.textContent.trim(), kind: element.dataset.toast || "good", undo: element.dataset.undo });
  element.remove();
});
// A message of the page before, which led here: the cookie `toast`.
document.addEventListener("DOMContentLoaded", () => {
  const said = document.cookie.split("; ").find((pair) => pair.startsWith("toast="))?.slice(6);
  if (!said) return;
  document.cookie = "toast=; Path=/; Max-Age=0; SameSite=Lax";
  try { kehu.toast({ text: decodeURIComponent(said) }); } catch { /* not ours */ }
});
