// The frame: theme, language, menu folding, off-canvas menu, shortcuts that work on every page.
const root = document.documentElement;

kehu.on("click", "[data-theme-set]", (event, element) => {
  const theme = element.dataset.themeSet;
  kehu.cookie("theme", theme);
  root.dataset.bsTheme = theme;
  document.querySelectorAll("[data-theme-set]").forEach((other) => other.setAttribute("aria-checked", String(other === element)));
  document.dispatchEvent(new CustomEvent("kehu:theme"));
});
kehu.on("click", "[data-lang-set]", (event, element) => {
  event.preventDefault();
  kehu.cookie("lang", element.dataset.langSet);
  location.reload();
});
kehu.on("click", "[data-density-set]", (event, element) => {
  kehu.cookie("density", element.dataset.densitySet);
  root.dataset.density = element.dataset.densitySet;
  document.querySelectorAll("[data-density-set]").forEach((other) => other.setAttribute("aria-checked", String(other === element)));
});
kehu.on("click", "[data-side-fold]", (event, element) => {
  const narrow = document.body.classList.toggle("side-narrow");
  element.setAttribute("aria-expanded", String(!narrow));
  kehu.cookie("side", narrow ? "narrow" : "wide");
});

const side = (open) => {
  document.body.classList.toggle("side-open", open);
  document.querySelectorAll("[data-side-open]").forEach((button) => button.setAttribute("aria-expanded", String(open)));
  if (open) document.querySelector(".side a")?.focus();
  else document.querySelector("[data-side-open]")?.focus();
};
kehu.on("click", "[data-side-open]", () => side(true));
kehu.on("click", "[data-side-close]", () => side(false));

kehu.on("click", "[data-fullscreen]", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else root.requestFullscreen?.();
});
kehu.on("click", "[data-keys-open]", () => document.getElementById("keys")?.showModal());
kehu.on("click", "[data-close-dialog]", (event, element) => element.closest("dialog")?.close());
kehu.on("click", "[data-print]", () => window.print());
kehu.on("click", "[data-copy]", async (event, element) => {
  await navigator.clipboard?.writeText(element.dataset.copy);
  kehu.toast({ text: kehu.word("copied") });
});
// A click on the backdrop closes a dialog.
document.addEventListener("click", (event) => {
  if (event.target.matches?.("dialog.box")) event.target.close();
});

// G then a letter: the menu entry with data-go="letter".
let waiting = 0;
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("side-open")) return side(false);
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || kehu.typing(event.target) || kehu.dialogOpen()) return;
  if (waiting && Date.now() - waiting < 1200) {
    waiting = 0;
    const link = document.querySelector(`[data-go="${CSS.escape(event.key.toLowerCase())}"]`);
    if (link) { event.preventDefault(); link.click(); }
    return;
  }
  if (event.key === "g") waiting = Date.now();
  else if (event.key === "?") document.getElementById("keys")?.showModal();
  else if (event.key === "c") {
    const create = document.querySelector("[data-create]");
    if (create) { event.preventDefault(); create.click(); }
  } else if (event.key === "/") {
    const search = document.querySelector("main [type=search]");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
    else { event.preventDefault(); kehu.command?.(); }
  }
});

// A row of tabs wider than the screen starts where the open one is seen.
kehu.each(".tabs [aria-current]", (tab) => {
  const row = tab.closest(".tabs");
  const beyond = tab.getBoundingClientRect().right - row.getBoundingClientRect().right;
  if (beyond > 0) row.scrollLeft += beyond + 12;
});
