// Leaves out of a stylesheet the rules for classes that nobody names.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// Every word in the files of these folders: a class counts as used when its name stands anywhere, in markup or in code.
export function wordsIn(folders) {
  const words = new Set();
  for (const folder of folders) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      for (const word of readFileSync(join(entry.parentPath ?? entry.path, entry.name), "utf8").split(/[^\w-]+/)) words.add(word);
    }
  }
  return words;
}

// The index after the block that opens at `start`; braces in strings and comments are text.
function blockEnd(css, start) {
  const parts = /\/\*[\s\S]*?\*\/|"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'|[{}]/g;
  parts.lastIndex = start;
  let depth = 0;
  for (let found = parts.exec(css); found; found = parts.exec(css)) {
    if (found[0] === "{") depth += 1;
    if (found[0] === "}" && --depth === 0) return parts.lastIndex;
  }
  throw new Error(`stylesheet: a block is not closed: ${css.slice(start, start + 60)}`);
}

// What stands in brackets is left alone: `:not(.x)` holds without any x, and the list of `:is()` is alternatives.
const classesOf = (selector) => {
  let bare = selector;
  for (let last = ""; last !== bare; ) [last, bare] = [bare, bare.replace(/\([^()]*\)|\[[^\]]*\]/g, "")];
  return [...bare.matchAll(/\.((?:[\w-]|\\.)+)/g)].map((found) => found[1].replaceAll("\\", ""));
};

const selectorsOf = (prelude) => prelude.match(/(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\]|[^,])+/g) ?? [];

// Rules stay when each class of one of their selectors is in `words`; selectors without a class always stay.
export function onlyUsed(css, words) {
  const used = (selector) => classesOf(selector).every((name) => words.has(name));
  let kept = "";
  let at = 0;
  while (at < css.length) {
    const rest = css.slice(at);
    const aside = rest.match(/^(?:\s+|\/\*[\s\S]*?\*\/|@(?:charset|import|layer|namespace)[^;{]*;)/);
    if (aside) {
      kept += aside[0];
      at += aside[0].length;
      continue;
    }
    const open = css.indexOf("{", at);
    if (open < 0) break;
    const end = blockEnd(css, open);
    const prelude = css.slice(at, open);
    const body = css.slice(open + 1, end - 1);
    if (/^@(?:media|supports|container|layer)\b/.test(prelude)) {
      const inner = onlyUsed(body, words);
      if (inner.trim()) kept += `${prelude}{${inner}}`;
    } else if (prelude.startsWith("@")) {
      kept += css.slice(at, end);
    } else {
      const selectors = selectorsOf(prelude).filter(used);
      if (selectors.length > 0) kept += `${selectors.join(",")}{${body}}`;
    }
    at = end;
  }
  return kept;
}
