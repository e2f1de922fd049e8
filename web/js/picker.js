// Searchable select: [data-picker] holds a hidden input (the value), a text input (role=combobox) and a listbox.
// With data-url the options are html from `URL?q=…`; otherwise those in the list are filtered by their
// text and data-search (pinyin, initials). Options: <li role="option" data-value data-label>.
// A refused form is morphed into its answer, which may put other inputs into the same picker: nothing here holds on to one.
kehu.each("[data-picker]", (picker) => {
  const value = () => picker.querySelector("input[type=hidden]");
  const box = () => picker.querySelector("[role=combobox]");
  const list = () => picker.querySelector("[role=listbox]");
  const url = kehu.localPath(picker.dataset.url);
  // What the value is called, and for which value that was noted.
  let chosen = { value: value().value, shown: box().value };
  let clock = 0;
  let asked = 0;

  const options = () => [...list().querySelectorAll("[role=option]:not([hidden])")];
  const active = () => list().querySelector("[aria-selected=true]");
  const show = (open) => { list().hidden = !open; box().setAttribute("aria-expanded", String(open)); };
  const mark = (option) => {
    active()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) { option.id ||= `${list().id}-${options().indexOf(option)}`; box().setAttribute("aria-activedescendant", option.id); }
    else box().removeAttribute("aria-activedescendant");
  };
  const choose = (option) => {
    clearTimeout(clock);
    asked += 1;
    value().value = option ? option.dataset.value : "";
    box().value = option ? option.dataset.label ?? option.textContent.trim() : "";
    chosen = { value: value().value, shown: box().value };
    show(false);
    if (box().hasAttribute("aria-invalid")) kehu.fieldError(box(), "");
    value().dispatchEvent(new Event("change", { bubbles: true }));
  };
  const back = () => { box().value = chosen.value === value().value ? chosen.shown : box().defaultValue; };
  const find = async () => {
    const words = box().value.trim().toLowerCase();
    if (url) {
      const mine = ++asked;
      const target = new URL(url, location.href);
      target.searchParams.set("q", words);
      // Whom a regulation proposes depends on what is filled beside it.
      if (target.pathname.includes("/candidates/") && box().form) {
        for (const [name, text] of new FormData(box().form)) {
          if (name.startsWith("v.") && typeof text === "string" && text) target.searchParams.append(name, text.slice(0, 200));
        }
      }
      const answer = await fetch(target, { headers: { "HX-Request": "true" } }).catch(() => null);
      const text = answer?.ok ? await answer.text() : null;
      if (text === null || mine !== asked || document.activeElement !== box()) return;
      list().innerHTML = text;
    } else {
      for (const option of list().querySelectorAll("[role=option]")) {
        option.hidden = !(option.textContent + " " + (option.dataset.search ?? "")).toLowerCase().includes(words);
      }
    }
    show(true);
    mark(options()[0]);
  };

  picker.addEventListener("focusin", (event) => { if (event.target === box()) box().select(); });
  picker.addEventListener("click", (event) => {
    if (event.target !== box() || !list().hidden) return;
    if (url) return find();
    list().querySelectorAll("[hidden]").forEach((option) => (option.hidden = false));
    show(true);
    mark(list().querySelector(`[data-value="${CSS.escape(value().value)}"]`) ?? options()[0]);
  });
  picker.addEventListener("input", (event) => {
    event.stopPropagation();
    if (event.isComposing) return;
    clearTimeout(clock);
    clock = setTimeout(find, url ? 120 : 0);
  });
  picker.addEventListener("compositionend", find);
  picker.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list().hidden) return find();
      const all = options();
      const step = event.key === "ArrowDown" ? 1 : -1;
      mark(all[(all.indexOf(active()) + step + all.length) % all.length]);
    } else if (event.key === "Enter" && !list().hidden) {
      event.preventDefault();
      if (active()) choose(active());
    } else if (event.key === "Escape" && !list().hidden) {
      event.stopPropagation();
      back();
      show(false);
    }
  });
  picker.addEventListener("focusout", () => setTimeout(() => {
    if (!picker.isConnected || picker.contains(document.activeElement)) return;
    clearTimeout(clock);
    show(false);
    // Emptied on purpose: no choice. Half-typed: back to what was chosen.
    if (box().value.trim() === "" && value().value) choose(null);
    else if (value().value) back();
    else box().value = "";
  }, 120));
  picker.addEventListener("mousedown", (event) => {
    if (!list().contains(event.target)) return;
    event.preventDefault();
    const option = event.target.closest("[role=option]");
    if (option) choose(option);
  });
});

// Tags: [data-tags="name"] holds one hidden input per tag; Enter, comma or leaving adds, Backspace removes.
kehu.each("[data-tags]", (box) => {
  const input = box.querySelector("input[type=text]");
  const add = (text) => {
    const tag = text.trim().replace(/[,，;；]+$/, "");
    const taken = [...box.querySelectorAll("input[type=hidden]")].some((hidden) => hidden.value === tag);
    input.value = "";
    if (!tag || taken) return;
    const chip = document.createElement("span");
    chip.className = "tag-chip";
    const hidden = document.createElement("input");
    Object.assign(hidden, { type: "hidden", name: box.dataset.tags, value: tag });
    const remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = "×";
    remove.setAttribute("aria-label", `${kehu.word("remove")} ${tag}`);
    chip.append(tag, hidden, remove);
    input.before(chip);
    box.dispatchEvent(new Event("change", { bubbles: true }));
  };
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && input.value.trim()) { event.preventDefault(); add(input.value); }
    else if (event.key === "Backspace" && input.value === "") { box.querySelector(".tag-chip:last-of-type")?.remove(); box.dispatchEvent(new Event("change", { bubbles: true })); }
  });
  input.addEventListener("input", (event) => { if (!event.isComposing && /[,，;；]$/.test(input.value)) add(input.value); });
  input.addEventListener("change", (event) => { event.stopPropagation(); add(input.value); });
  box.addEventListener("click", (event) => {
    if (event.target.matches(".tag-chip button")) { event.target.parentElement.remove(); box.dispatchEvent(new Event("change", { bubbles: true })); }
    else if (event.target === box) input.focus();
  });
});
