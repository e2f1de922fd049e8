// A list keeps its filters while one is elsewhere: links to its bare address lead back to what was last seen there.
// The address itself always holds the whole state. data-with-query on a link adds the filters of the page to it.
const passing = ["drawer", "after", "deleted", "view"];
const key = (path) => `list:${path}`;

const keep = () => {
  if (!document.querySelector("main [data-list]")) return;
  const url = new URL(location.href);
  passing.forEach((name) => url.searchParams.delete(name));
  try { sessionStorage.setItem(key(url.pathname), url.search); } catch { /* private windows may refuse */ }
};
addEventListener("pagehide", keep);

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || link.origin !== location.origin) return;
  if (link.hasAttribute("data-with-query")) {
    const url = new URL(link.href);
    const now = new URLSearchParams(location.search);
    passing.forEach((name) => now.delete(name));
    const own = new URL(link.getAttribute("href"), location.href).searchParams;
    url.search = "";
    for (const [name, value] of [...own, ...now]) if (!(own.has(name) && url.searchParams.has(name))) url.searchParams.append(name, value);
    link.href = url.pathname + url.search;
    setTimeout(() => { link.href = `${url.pathname}?${own}`; }, 0);
    return;
  }
  // Links inside the list (tabs, sorting, reset) mean what they say.
  if (link.search || link.hasAttribute("hx-get") || link.pathname === location.pathname) return;
  let kept = "";
  try { kept = sessionStorage.getItem(key(link.pathname)) ?? ""; } catch { /* nothing kept */ }
  if (kept) link.search = kept;
}, true);

// A finished batch leaves no menu open over the page.
document.addEventListener("clearSelection", () => {
  document.querySelectorAll("[data-select-bar] details[open]").forEach((menu) => { menu.open = false; });
});
