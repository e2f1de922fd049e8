// The text box of a regulation's file: line numbers beside it, Tab inserts spaces (Escape, then Tab, leaves the box),
// lines with a problem are marked, a click on a problem goes to its line.
const height = 20;

const paint = (box) => {
  const text = box.querySelector("textarea");
  const gutter = box.querySelector(".code-gutter");
  const lines = text.value.split("\n").length;
  const wrong = new Set((document.querySelector("[data-code-problems]")?.dataset.codeProblems || "").split(",").filter(Boolean).map(Number));
  gutter.replaceChildren(...Array.from({ length: lines }, (_, at) => {
    const line = document.createElement("span");
    line.textContent = at + 1;
    if (wrong.has(at + 1)) line.className = "is-wrong";
    return line;
  }));
  // A last line as high as the box's scroll bar.
  const more = document.createElement("span");
  more.textContent = "\u00a0";
  gutter.append(more);
  gutter.scrollTop = text.scrollTop;
};

const goTo = (text, line) => {
  if (!line) return;
  const before = text.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  const end = text.value.indexOf("\n", before);
  text.focus();
  text.setSelectionRange(before, end < 0 ? text.value.length : end);
  text.scrollTop = Math.max(0, (line - 6) * height);
};

kehu.each("[data-code]", (box) => {
  const text = box.querySelector("textarea");
  let leaving = false;
  paint(box);
  text.addEventListener("input", () => paint(box));
  text.addEventListener("scroll", () => { box.querySelector(".code-gutter").scrollTop = text.scrollTop; });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { leaving = true; return; }
    if (event.key === "Tab" && !event.shiftKey && !event.ctrlKey && !event.altKey && !leaving) {
      event.preventDefault();
      // Keeps the browser's own undo.
      if (!document.execCommand("insertText", false, "  ")) text.setRangeText("  ", text.selectionStart, text.selectionEnd, "end");
      return;
    }
    if (event.key !== "Tab") leaving = false;
  });
  goTo(text, Number(box.dataset.line));
});
document.addEventListener("htmx:after:swap", () => document.querySelectorAll("[data-code]").forEach(paint));
kehu.on("click", "[data-code-line]", (event, button) => {
  const text = document.querySelector("[data-code] textarea");
  if (text) goTo(text, Number(button.dataset.codeLine));
});
