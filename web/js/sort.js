// Rows put in order by hand: `data-sort="/path"` on the list, a .grip in each item, which carries `data-id`.
// Dragged, or moved with the arrow keys on the grip; the new order is posted as repeated `id`.
const sendOrder = async (list) => {
  const path = kehu.localPath(list.dataset.sort);
  const body = new URLSearchParams([...list.children].map((item) => ["id", item.dataset.id]));
  const answer = await fetch(path, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok) kehu.toast({ text: kehu.word(answer ? "failed" : "offline"), kind: "bad" });
};
kehu.each("[data-sort]", async (list) => {
  let waiting = null;
  list.addEventListener("keydown", (event) => {
    const item = event.target.closest(".grip") && [...list.children].find((child) => child.contains(event.target));
    if (!item || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "ArrowUp") item.previousElementSibling?.before(item);
    else item.nextElementSibling?.after(item);
    event.target.focus();
    // One request after the last key, not one a step.
    clearTimeout(waiting);
    waiting = setTimeout(() => sendOrder(list), 400);
  });
  await kehu.script("sortable");
  Sortable.create(list, { handle: ".grip", animation: 120, ghostClass: "sortable-ghost", onUpdate: () => sendOrder(list) });
});
