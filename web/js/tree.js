// A tree in flat rows: [data-tree] > [role=treeitem][aria-level], one link in each; those with parts carry
// aria-expanded. Up, Down, Home, End move; Right and Left unfold and fold; Enter follows the link. What somebody folded
// or unfolded stays so for this tab, also when the list is asked for again.
const read = (name) => JSON.parse(sessionStorage.getItem(`tree-${name}`) ?? "{}");
const items = (tree) => [...tree.querySelectorAll("[role=treeitem]")];
const visible = (tree) => items(tree).filter((item) => !item.hidden);

const draw = (tree) => {
  const kept = read(tree.dataset.tree);
  let foldedAt = Infinity;
  for (const item of items(tree)) {
    const level = Number(item.ariaLevel);
    if (item.ariaExpanded !== null && item.dataset.id in kept) item.ariaExpanded = String(kept[item.dataset.id]);
    if (level <= foldedAt) foldedAt = Infinity;
    item.hidden = level > foldedAt;
    if (!item.hidden && item.ariaExpanded === "false") foldedAt = level;
  }
  // One stop for the Tab key: where the arrows left off, else the chosen one.
  const all = visible(tree);
  const stop = all.find((item) => item.dataset.id === tree.dataset.at) ?? all.find((item) => item.ariaSelected === "true") ?? all[0];
  for (const item of items(tree)) item.querySelector("a").tabIndex = item === stop ? 0 : -1;
};

const fold = (tree, item, open) => {
  if (item.ariaExpanded === null) return;
  const kept = read(tree.dataset.tree);
  kept[item.dataset.id] = open;
  sessionStorage.setItem(`tree-${tree.dataset.tree}`, JSON.stringify(kept));
  item.ariaExpanded = String(open);
  draw(tree);
};

const go = (tree, item) => {
  if (!item) return;
  tree.dataset.at = item.dataset.id;
  draw(tree);
  item.querySelector("a").focus();
};

kehu.on("click", "[data-tree] button.tree-fold", (event, button) => {
  const item = button.closest("[role=treeitem]");
  fold(item.closest("[data-tree]"), item, item.ariaExpanded !== "true");
});

kehu.each("[data-tree]", (tree) => {
  draw(tree);
  tree.addEventListener("keydown", (event) => {
    const item = event.target.closest("[role=treeitem]");
    if (!item || event.ctrlKey || event.altKey || event.metaKey) return;
    const all = visible(tree);
    const at = all.indexOf(item);
    const above = () => all.slice(0, at).reverse().find((other) => Number(other.ariaLevel) < Number(item.ariaLevel));
    const moves = {
      ArrowDown: () => go(tree, all[at + 1]),
      ArrowUp: () => go(tree, all[at - 1]),
      Home: () => go(tree, all[0]),
      End: () => go(tree, all.at(-1)),
      ArrowRight: () => (item.ariaExpanded === "false" ? fold(tree, item, true) : item.ariaExpanded === "true" && go(tree, all[at + 1])),
      ArrowLeft: () => (item.ariaExpanded === "true" ? fold(tree, item, false) : go(tree, above())),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    moves[event.key]();
  });
});
document.addEventListener("htmx:after:swap", () => document.querySelectorAll("[data-tree]").forEach(draw));
