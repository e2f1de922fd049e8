// Editing in place: an element with data-edit="/path" asks for its form there and puts it inside itself.
// The form posts by htmx with hx-target="closest [data-edit]"; Escape brings the old content back.
const was = new WeakMap();

kehu.edit = async (cell) => {
  const path = kehu.localPath(cell.dataset.edit);
  if (!path || cell.querySelector("form") || cell.dataset.opening) return;
  cell.dataset.opening = "true";
  // Keep the column as wide as it was.
  if (cell.matches("td")) cell.style.width = `${cell.offsetWidth}px`;
  was.set(cell, [...cell.childNodes].map((node) => node.cloneNode(true)));
  await htmx.ajax("GET", path, { source: cell, target: cell, swap: "innerHTML" });
  delete cell.dataset.opening;
  const field = cell.querySelector("form input:not([type=hidden]), form select, form textarea");
  field?.focus();
  if (field?.matches("input[type=text], input:not([type])")) field.select();
};
const cancel = (cell) => {
  cell.replaceChildren(...(was.get(cell) ?? []));
  htmx.process(cell);
  cell.setAttribute("tabindex", cell.getAttribute("tabindex") ?? "0");
  cell.focus();
};

kehu.on("click", "[data-edit]", (event, cell) => {
  if (!event.target.closest("a, button, form")) kehu.edit(cell);
});
document.addEventListener("keydown", (event) => {
  const cell = event.target.closest?.("[data-edit]");
  if (!cell) return;
  const form = cell.querySelector("form");
  if (!form && (event.key === "Enter" || event.key === "e") && event.target === cell) {
    event.preventDefault();
    event.stopPropagation();
    kehu.edit(cell);
  } else if (form && event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    cancel(cell);
  }
}, true);
kehu.on("click", "[data-inline-cancel]", (event, button) => cancel(button.closest("[data-edit]")));
// Ticks, tags and choices of a picker change no text field.
document.addEventListener("change", (event) => {
  const form = event.target.closest?.(".inline-form");
  if (form && (event.target.matches("[type=checkbox], [type=hidden]") || event.target.matches("[data-tags]"))) form.dataset.touched = "true";
});
// Leaving the field saves it; unchanged, it closes.
document.addEventListener("focusout", (event) => {
  const form = event.target.closest?.(".inline-form");
  if (!form) return;
  setTimeout(() => {
    const cell = form.closest("[data-edit]");
    if (!form.isConnected || form.contains(document.activeElement) || form.dataset.sending || kehu.dialogOpen()) return;
    const changed = form.dataset.touched || [...form.elements].some((field) => field.name && field.type !== "hidden" &&
      (field.matches("select") ? [...field.options].some((option) => option.selected !== option.defaultSelected) : field.value !== field.defaultValue));
    if (changed) form.requestSubmit();
    else cancel(cell);
  }, 150);
});
