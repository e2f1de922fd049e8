// The command menu. Typing asks `data-url?q=…` for html: groups of <a role="option" class="command-item" href>.
// With nothing typed it shows what was opened lately (kept in this browser) and the page's own commands.
const box = () => document.getElementById("command");
const input = () => box().querySelector("[role=combobox]");
const list = () => box().querySelector("[role=listbox]");
const storeName = "kehu.recent";
let clock = 0;
let asked = 0;

const recent = () => {
  try { return JSON.parse(localStorage.getItem(storeName) ?? "[]"); } catch { return []; }
};
const remember = (item) => {
  if (!item.href) return;
  const kept = recent().filter((each) => each.href !== item.href);
  try { localStorage.setItem(storeName, JSON.stringify([item, ...kept].slice(0, 8))); } catch { /* private window */ }
};

const options = () => [...list().querySelectorAll("[role=option]")];
const mark = (option) => {
  list().querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
  options().forEach((each, at) => (each.id = `command-${at}`));
  if (!option) return input().removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  input().setAttribute("aria-activedescendant", option.id);
};

const entry = ({ href, text, icon, note }) => {
  const link = document.createElement("a");
  link.className = "command-item";
  link.setAttribute("role", "option");
  link.setAttribute("aria-selected", "false");
  link.href = href;
  link.dataset.icon = icon;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${document.body.dataset.icons}#${icon || "history"}`);
  svg.append(use);
  const words = document.createElement("span");
  words.textContent = text;
  link.append(svg, words);
  if (note) { const small = document.createElement("small"); small.textContent = note; link.append(small); }
  return link;
};
const start = () => {
  const parts = [];
  const group = (word) => Object.assign(document.createElement("div"), { className: "command-group", textContent: kehu.word(word) });
  const items = recent().filter((item) => kehu.localPath(item.href));
  if (items.length) parts.push(group("recent"), ...items.map(entry));
  const links = [...document.querySelectorAll("[data-create], .side-nav a[href]")].map((link) => ({
    href: link.href, text: link.dataset.title ?? link.textContent.trim(), icon: link.querySelector("use")?.getAttribute("href").split("#")[1] ?? "arrow-right",
  }));
  if (links.length) parts.push(group("pages"), ...links.map(entry));
  list().replaceChildren(...parts);
  mark(options()[0]);
};
const find = async () => {
  const words = input().value.trim();
  const mine = ++asked;
  if (!words) return start();
  const url = new URL(box().dataset.url, location.href);
  url.searchParams.set("q", words);
  const answer = await fetch(url, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (mine !== asked || !box().open) return;
  list().innerHTML = answer?.ok ? await answer.text() : "";
  if (!answer?.ok || !options().length) {
    const none = Object.assign(document.createElement("div"), { className: "command-none" });
    none.textContent = answer?.ok ? kehu.word("nothing").replace("{}", words) : kehu.word("failed");
    if (!list().textContent.trim()) list().replaceChildren(none);
  }
  mark(options()[0]);
};

kehu.command = () => {
  if (!box() || box().open) return;
  input().value = "";
  box().showModal();
  input().focus();
  start();
};
const go = (option, event) => {
  if (!option) return;
  remember({ href: kehu.localPath(option.href), text: option.querySelector("span")?.textContent ?? option.textContent.trim(), icon: option.dataset.icon ?? option.querySelector("use")?.getAttribute("href").split("#")[1], note: option.querySelector("small")?.textContent });
  const drawer = option.hasAttribute("data-drawer");
  box().close();
  if (event.ctrlKey || event.metaKey) window.open(option.href, "_blank", "noopener");
  else if (drawer && document.getElementById("drawer")) kehu.openDrawer(option.href);
  else location.href = option.href;
};

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (box()?.open) box().close();
    else kehu.command();
  }
});
kehu.on("click", "[data-command-open]", () => kehu.command());
document.addEventListener("DOMContentLoaded", () => {
  if (!box()) return;
  input().addEventListener("input", (event) => {
    if (event.isComposing) return;
    clearTimeout(clock);
    clock = setTimeout(find, 90);
  });
  input().addEventListener("compositionend", find);
  input().addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const all = options();
    const now = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (all.length) mark(all[(now + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      go(all[now], event);
    }
  });
  list().addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) { event.preventDefault(); go(option, event); }
  });
  list().addEventListener("mousemove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option.getAttribute("aria-selected") !== "true") mark(option);
  });
});
