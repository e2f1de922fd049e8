// The data table: selection over pages, action bar, keyboard (J K Enter X E), row click, column settings.
const chosen = new Map(); // list key → Set of ids, kept while one turns pages
const listOf = (element) => element.closest("[data-list]");
const idsOf = (list) => {
  const key = list.dataset.list;
  if (!chosen.has(key)) chosen.set(key, new Set());
  return chosen.get(key);
};
const boxes = (list) => [...list.querySelectorAll("tbody [data-select]")];

const draw = (list) => {
  const ids = idsOf(list);
  for (const box of boxes(list)) {
    box.checked = ids.has(box.value);
    box.closest("tr").classList.toggle("is-selected", box.checked);
  }
  const page = list.querySelector("[data-select-page]");
  const on = boxes(list).filter((box) => box.checked).length;
  if (page) {
    page.checked = on > 0 && on === boxes(list).length;
    page.indeterminate = on > 0 && !page.checked;
  }
  const bar = document.querySelector(`[data-select-bar="${CSS.escape(list.dataset.list)}"]`);
  if (!bar) return;
  const whole = bar.dataset.whole === "true" && ids.size > 0;
  if (ids.size === 0) delete bar.dataset.whole;
  bar.hidden = ids.size === 0;
  const total = Number(list.dataset.total || 0);
  bar.querySelector("[data-role=count]").textContent = (whole ? Number(total) : ids.size).toLocaleString("zh-CN");
  const all = bar.querySelector("[data-select-all]");
  if (all) all.hidden = whole || total <= ids.size || !page?.checked;
  const holder = bar.querySelector("[data-role=ids]");
  holder.replaceChildren(...(whole ? [["all", "1"], ["query", location.search]] : [...ids].map((id) => ["id", id])).map(([name, value]) =>
    Object.assign(document.createElement("input"), { type: "hidden", name, value })));
};

kehu.each("[data-list]", (list) => draw(list));
document.addEventListener("htmx:after:swap", () => document.querySelectorAll("[data-list]").forEach(draw));

let anchor = null;
kehu.on("click", "[data-select]", (event, box) => {
  const list = listOf(box);
  const all = boxes(list);
  const ids = idsOf(list);
  const from = event.shiftKey && anchor?.isConnected ? all.indexOf(anchor) : all.indexOf(box);
  const to = all.indexOf(box);
  for (const each of all.slice(Math.min(from, to), Math.max(from, to) + 1)) box.checked ? ids.add(each.value) : ids.delete(each.value);
  anchor = box;
  draw(list);
});
kehu.on("change", "[data-select-page]", (event, page) => {
  const list = listOf(page);
  const ids = idsOf(list);
  boxes(list).forEach((box) => (page.checked ? ids.add(box.value) : ids.delete(box.value)));
  draw(list);
});
const clear = (key) => {
  chosen.get(key)?.clear();
  document.querySelectorAll(`[data-list="${CSS.escape(key)}"]`).forEach(draw);
};
kehu.on("click", "[data-select-none]", (event, element) => clear(element.closest("[data-select-bar]").dataset.selectBar));
kehu.on("click", "[data-select-all]", (event, element) => {
  const bar = element.closest("[data-select-bar]");
  bar.dataset.whole = "true";
  document.querySelectorAll(`[data-list="${CSS.escape(bar.dataset.selectBar)}"]`).forEach(draw);
});
// After a batch: HX-Trigger: clearSelection.
document.addEventListener("clearSelection", () => [...chosen.keys()].forEach(clear));
// HX-Trigger: refreshList asks for the list again with the filters of the address.
document.addEventListener("refreshList", () => {
  const list = document.querySelector("main [data-list]");
  if (list) htmx.ajax("GET", location.pathname + location.search, { source: list, target: `#${list.id}`, swap: "outerMorph" });
});

const rows = () => [...document.querySelectorAll("main [data-list] tbody tr[data-id]")];
const activeRow = () => rows().find((row) => row.classList.contains("is-active"));
const activate = (row) => {
  rows().forEach((each) => each.classList.toggle("is-active", each === row));
  row.setAttribute("tabindex", "-1");
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
};
const open = (row) => {
  const href = row.dataset.href;
  if (!href) return;
  if (row.hasAttribute("data-drawer-row")) kehu.openDrawer(href, row);
  else location.href = href;
};
kehu.on("click", "tr[data-href]", (event, row) => {
  if (event.defaultPrevented || event.target.closest("a, button, input, label, select, textarea, summary, details, form, .editable") || String(getSelection())) return;
  activate(row);
  if (event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank", "noopener");
  else open(row);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented || kehu.typing(event.target) || kehu.dialogOpen()) return;
  const all = rows();
  if (!all.length) return;
  const now = activeRow();
  const panel = document.getElementById("drawer");
  const reading = panel && !panel.hidden;
  const key = event.key;
  if (key === "j" || key === "k" || ((key === "ArrowDown" || key === "ArrowUp") && event.target.matches?.("tr"))) {
    event.preventDefault();
    const at = all.indexOf(now);
    const next = all[Math.max(0, Math.min(all.length - 1, at + (key === "j" || key === "ArrowDown" ? 1 : -1)))];
    activate(next);
    if (reading) open(next);
  } else if (!now) {
    return;
  } else if ((key === "Enter" || key === "o") && !event.target.closest("a, button, summary")) {
    event.preventDefault();
    open(now);
  } else if (key === "x") {
    now.querySelector("[data-select]")?.click();
  } else if (key === "e" && !reading) {
    const cell = now.querySelector("[data-edit]");
    if (cell) { event.preventDefault(); kehu.edit(cell); }
  }
});

// The table scrolls in itself, so that its head, frozen columns and pager stay in sight; hairlines beside the frozen
// columns tell that something is under them.
const fit = (wrap) => {
  const top = wrap.getBoundingClientRect().top + scrollY;
  const below = wrap.parentElement.querySelector(".pager")?.offsetHeight ?? 0;
  wrap.style.maxHeight = `${Math.max(320, innerHeight - top - below - 20)}px`;
  edges(wrap);
};
const edges = (wrap) => {
  wrap.classList.toggle("scrolled-x", wrap.scrollLeft > 0);
  wrap.classList.toggle("more-x", wrap.scrollLeft + wrap.clientWidth < wrap.scrollWidth - 1);
};
const fitAll = () => document.querySelectorAll(".table-wrap").forEach(fit);
kehu.each(".table-wrap", (wrap) => {
  wrap.addEventListener("scroll", () => edges(wrap), { passive: true });
  fit(wrap);
});
addEventListener("resize", fitAll);
document.addEventListener("htmx:after:swap", fitAll);
kehu.on("click", "[data-filters-more]", () => requestAnimationFrame(fitAll));

// Column settings: drag by the grip, or move with Alt + arrows on it.
kehu.each("[data-columns]", (list) => {
  list.closest("details").addEventListener("toggle", async () => {
    if (list.dataset.ready) return;
    list.dataset.ready = "true";
    await kehu.script("sortable");
    Sortable.create(list, { handle: ".grip", animation: 120, ghostClass: "sortable-ghost" });
  });
  // The panel stands inside the filter form, and a moved or ticked column is no changed filter.
  for (const name of ["change", "input"]) list.addEventListener(name, (event) => event.stopPropagation());
  list.addEventListener("keydown", (event) => {
    const item = event.target.closest(".grip")?.closest("li");
    if (!item || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "ArrowUp") item.previousElementSibling?.before(item);
    else item.nextElementSibling?.after(item);
    event.target.focus();
  });
});
