// The panel over the list. <a data-drawer href="/customers/1"> opens its address here; the address bar keeps the
// list and adds `drawer=/customers/1`, so a reload or a shared link shows the same, and Back closes it.
const drawer = () => document.getElementById("drawer");
const body = () => document.getElementById("drawer-body");
let opener = null;
let shown = null;

const wanted = () => kehu.localPath(new URL(location.href).searchParams.get("drawer"));
const links = () => [...document.querySelectorAll("main [data-drawer-row]")];
// A tab of a record (`?tab=contacts`) is still that record.
const record = (path) => path?.split("?")[0];
const shows = (row) => record(kehu.localPath(row.dataset.href)) === record(shown);
const rowOf = (path) => links().find((row) => record(kehu.localPath(row.dataset.href)) === record(path));

const address = (path) => {
  const url = new URL(location.href);
  if (path) url.searchParams.set("drawer", path);
  else url.searchParams.delete("drawer");
  return url;
};

const refreshPlace = () => {
  const all = links();
  const at = all.findIndex(shows);
  const place = drawer().querySelector(".drawer-place");
  place.textContent = at < 0 ? "" : `${at + 1} / ${all.length}`;
  drawer().querySelector("[data-drawer-prev]").disabled = at <= 0;
  drawer().querySelector("[data-drawer-next]").disabled = at < 0 || at >= all.length - 1;
  drawer().querySelector("[data-drawer-full]").href = shown;
  links().forEach((row) => row.classList.toggle("is-active", shows(row)));
};

const show = async (path) => {
  if (shown === path) return;
  const first = drawer().hidden;
  shown = path;
  drawer().hidden = false;
  refreshPlace();
  body().classList.add("is-loading");
  await htmx.ajax("GET", path, { source: body(), target: "#drawer-body", swap: "innerHTML" });
  if (shown !== path) return;
  body().classList.remove("is-loading");
  body().scrollTop = 0;
  drawer().setAttribute("aria-label", body().querySelector("h1, h2")?.textContent.trim() || kehu.word("detail"));
  if (first) drawer().focus({ preventScroll: true });
};

const hide = () => {
  if (drawer().hidden) return;
  drawer().hidden = true;
  body().replaceChildren();
  const row = rowOf(shown);
  shown = null;
  (opener?.isConnected ? opener : row)?.focus({ preventScroll: true });
  opener = null;
};

kehu.openDrawer = async (path, from) => {
  path = kehu.localPath(path);
  if (!path || !drawer() || !(await kehu.mayLeave(body()))) return;
  if (drawer().hidden) {
    opener = from ?? document.activeElement;
    history.pushState({ drawer: true, pushed: true }, "", address(path));
  } else {
    history.replaceState(history.state, "", address(path));
  }
  await show(path);
};
kehu.closeDrawer = async () => {
  if (!drawer() || drawer().hidden || !(await kehu.mayLeave(body()))) return;
  if (history.state?.pushed) history.back();
  else { history.replaceState(history.state, "", address(null)); hide(); }
};
const step = (by) => {
  const all = links();
  const row = all[all.findIndex(shows) + by];
  if (row) kehu.openDrawer(row.dataset.href, row);
};

kehu.on("click", "a[data-drawer]", (event, link) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0 || event.defaultPrevented) return;
  event.preventDefault();
  kehu.openDrawer(link.href, link);
});
kehu.on("click", "[data-drawer-close]", () => kehu.closeDrawer());
kehu.on("click", "[data-drawer-prev]", () => step(-1));
kehu.on("click", "[data-drawer-next]", () => step(1));
// A handler can close it: HX-Trigger: closeDrawer. And reload what it shows: HX-Trigger: reloadDrawer.
document.addEventListener("closeDrawer", () => kehu.closeDrawer());
document.addEventListener("reloadDrawer", () => {
  if (shown) htmx.ajax("GET", shown, { source: body(), target: "#drawer-body", swap: "innerMorph" });
});

// Back and forward between states of one page: only the drawer differs, so the page need not be asked for.
const sameBut = (a, b) => {
  const strip = (href) => { const url = new URL(href, location.href); url.searchParams.delete("drawer"); return url.pathname + url.search; };
  return strip(a) === strip(b);
};
let last = location.href;
const sync = () => {
  if (!drawer()) return;
  const path = wanted();
  if (path) show(path);
  else hide();
};
for (const name of ["pushState", "replaceState"]) {
  const original = history[name].bind(history);
  history[name] = (...args) => { original(...args); last = location.href; };
}
addEventListener("popstate", () => {
  const only = sameBut(last, location.href);
  last = location.href;
  lastWasDrawer = only;
  if (only) sync();
});
let lastWasDrawer = false;
document.addEventListener("htmx:before:history:restore", (event) => {
  if (lastWasDrawer) event.preventDefault();
});
document.addEventListener("DOMContentLoaded", () => { if (drawer() && wanted()) sync(); });
document.addEventListener("htmx:after:swap", () => { if (drawer() && !drawer().hidden) refreshPlace(); });

document.addEventListener("keydown", (event) => {
  if (!drawer() || drawer().hidden || kehu.dialogOpen() || event.defaultPrevented) return;
  if (event.key === "Escape") {
    if (kehu.typing(event.target)) return event.target.blur();
    event.preventDefault();
    kehu.closeDrawer();
  } else if (event.key === "Tab" && drawer().contains(document.activeElement)) {
    // Keep the focus inside until it is closed.
    const stops = [...drawer().querySelectorAll("a[href], button:not(:disabled), input:not([type=hidden]), select, textarea, summary, [tabindex='0']")].filter((element) => element.offsetParent);
    const edge = event.shiftKey ? stops[0] : stops.at(-1);
    if (document.activeElement === edge || (event.shiftKey && document.activeElement === drawer())) {
      event.preventDefault();
      (event.shiftKey ? stops.at(-1) : stops[0])?.focus();
    }
  } else if (!kehu.typing(event.target) && event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    step(event.key === "ArrowUp" ? -1 : 1);
  }
});
