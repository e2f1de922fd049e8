// What the other scripts share: words of the page's language, a hook for new content, cookies, local paths,
// and the rules for every request (busy line, no double sending, errors as toasts).
const kehu = (window.kehu = {});

kehu.word = (name) => document.getElementById("words")?.dataset[name] ?? name;

// Calls `attach(element)` once for every element that matches, now and after each swap.
kehu.each = (selector, attach) => {
  const seen = new WeakSet();
  const visit = (root) => {
    const found = [...root.querySelectorAll(selector)];
    if (root.matches?.(selector)) found.unshift(root);
    for (const element of found) {
      if (seen.has(element)) continue;
      seen.add(element);
      attach(element);
    }
  };
  document.addEventListener("DOMContentLoaded", () => visit(document));
  document.addEventListener("htmx:after:process", (event) => visit(event.target));
  document.addEventListener("kehu:added", (event) => visit(event.target));
};

// Delegated listener: `handle(event, element)` with the nearest element that matches.
kehu.on = (type, selector, handle) => {
  document.addEventListener(type, (event) => {
    const element = event.target.closest?.(selector);
    if (element) handle(event, element);
  });
};

kehu.cookie = (name, value) => {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${encodeURIComponent(value)}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
};

// Only addresses of this site: a crafted link must not make us load anything else.
kehu.localPath = (address) => {
  if (!address) return null;
  try {
    const url = new URL(address, location.href);
    return url.origin === location.origin ? url.pathname + url.search : null;
  } catch {
    return null;
  }
};

kehu.typing = (target) => target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]") != null;

kehu.dialogOpen = () => document.querySelector("dialog[open]") != null;

const loading = new Map();
// Loads one of our own scripts once; its address is an attribute of <body>.
kehu.script = (name) => {
  if (!loading.has(name)) {
    loading.set(name, new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = document.body.dataset[name];
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    }));
  }
  return loading.get(name);
};

let running = 0;
const busy = (change) => {
  running = Math.max(0, running + change);
  document.body.classList.toggle("is-busy", running > 0);
};
document.addEventListener("htmx:before:request", () => busy(1));
document.addEventListener("htmx:finally:request", (event) => {
  busy(-1);
  const form = event.detail.ctx.sourceElement;
  if (form?.matches?.("form")) delete form.dataset.sending;
});

// A second click on 保存 while the first is under way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sending && !form.matches("[data-filters]")) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  const usesHtmx = form.matches("[hx-get],[hx-post],[hx-put],[hx-patch],[hx-delete]");
  if (!usesHtmx && form.method !== "dialog") form.dataset.sending = "true";
}, true);
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  const form = ctx.sourceElement;
  if (!form?.matches?.("form")) return;
  if (form.matches("[data-filters]")) {
    // Keep addresses short: empty filters are not filters.
    for (const [name, value] of [...ctx.request.body]) if (value === "") ctx.request.body.delete(name, value);
    return;
  }
  form.dataset.sending = "true";
});
// Back to a page kept by the browser: what was being sent no longer is.
addEventListener("pageshow", () => document.querySelectorAll("[data-sending]").forEach((form) => delete form.dataset.sending));

// Errors that are not a form to show again: a toast, and the page stays as it was.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  const status = ctx.response?.status ?? 200;
  const expected = status < 400 || status === 409 || status === 412 || status === 422;
  if (expected || ctx.response.headers.get("HX-Retarget")) return;
  event.preventDefault();
  const said = new DOMParser().parseFromString(ctx.text, "text/html").querySelector("[data-error]")?.textContent.trim();
  const word = status === 401 ? "signIn" : status === 403 ? "forbidden" : status === 404 ? "notFound" : status === 429 ? "slower" : "failed";
  kehu.toast({ text: said || kehu.word(word), kind: "bad" });
});
document.addEventListener("htmx:error", (event) => {
  // A form whose draft is kept says so itself.
  if (!navigator.onLine && event.detail.ctx?.sourceElement?.closest?.("form[data-draft]")) return;
  if (event.detail.ctx) kehu.toast({ text: kehu.word("offline"), kind: "bad" });
});
