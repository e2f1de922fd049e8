// <details class="menu" data-menu> with a .menu-panel: one open at a time, placed beside its button, arrows move, Escape closes.
const margin = 8;

const place = (menu) => {
  const panel = menu.querySelector(".menu-panel");
  // In the top layer nothing clips it, and its place is the window's.
  panel.popover = "manual";
  panel.showPopover();
  const button = menu.querySelector("summary").getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const below = innerHeight - button.bottom;
  const left = menu.dataset.menu === "start" ? button.left : button.right - width;
  const top = below < height + margin && button.top > below ? button.top - height - 4 : button.bottom + 4;
  panel.style.left = `${Math.max(margin, Math.min(left, innerWidth - width - margin))}px`;
  panel.style.top = `${Math.max(margin, top)}px`;
};

const close = (menu, focus) => {
  menu.open = false;
  if (focus) menu.querySelector("summary").focus();
};
const opened = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.("details[data-menu]")) return;
  menu.querySelector("summary").setAttribute("aria-expanded", String(menu.open));
  if (!menu.open) {
    const panel = menu.querySelector(".menu-panel");
    if (panel.matches(":popover-open")) panel.hidePopover();
    return;
  }
  opened().forEach((other) => { if (other !== menu && !other.contains(menu)) close(other); });
  place(menu);
}, true);
document.addEventListener("click", (event) => {
  opened().forEach((menu) => {
    const inside = menu.contains(event.target);
    const chosen = event.target.closest?.(".menu-item") && !event.target.closest("[data-keep-open]");
    if (!inside || chosen) close(menu);
  });
});
addEventListener("scroll", (event) => opened().forEach((menu) => { if (!menu.contains(event.target)) close(menu); }), { capture: true, passive: true });
addEventListener("resize", () => opened().forEach((menu) => close(menu)));
document.addEventListener("keydown", (event) => {
  const menu = [...opened()].at(-1);
  if (!menu) return;
  if (event.key === "Escape") {
    event.stopPropagation();
    close(menu, true);
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const items = [...menu.querySelectorAll(".menu-item:not([disabled])")];
    if (!items.length || kehu.typing(event.target)) return;
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    const now = items.indexOf(document.activeElement.closest(".menu-item"));
    const next = items[(now + step + items.length + (now < 0 && step < 0 ? 1 : 0)) % items.length];
    (next.querySelector("input") ?? next).focus();
  }
}, true);

// A condition with several values asks once, when its menu closes, not for every tick.
document.addEventListener("change", (event) => {
  const menu = event.target.closest?.(".filter-checks");
  if (!menu?.open) return;
  event.stopPropagation();
  menu.dataset.touched = "true";
}, true);
document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.(".filter-checks") || menu.open || !menu.dataset.touched) return;
  delete menu.dataset.touched;
  menu.closest("form").requestSubmit();
}, true);
document.addEventListener("submit", (event) => {
  event.target.querySelectorAll(".filter-checks[open]").forEach((menu) => { delete menu.dataset.touched; close(menu, true); });
}, true);
