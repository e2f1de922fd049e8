// Forms of regulations: several records in one field, files and signatures sent at once, lines of a table, and what is
// typed kept on the device until it has been sent (a lost connection, a closed tab).
const chip = (name, value, label, href) => {
  const made = Object.assign(document.createElement("span"), { className: "tag-chip" });
  const text = href ? Object.assign(document.createElement("a"), { href, target: "_blank", rel: "noopener" }) : document.createElement("span");
  text.textContent = label;
  const hidden = Object.assign(document.createElement("input"), { type: "hidden", name, value });
  const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
  remove.setAttribute("aria-label", `${kehu.word("remove")} ${label}`);
  made.append(text, hidden, remove);
  return made;
};
const changed = (element) => element.dispatchEvent(new Event("change", { bubbles: true }));
kehu.on("click", ".many-chips .tag-chip button", (event, button) => {
  const field = button.closest(".field");
  button.parentElement.remove();
  changed(field);
});

// A refused form is morphed into its answer, which may put other elements into the same field: what follows looks them up
// when they are needed.

// data-many="name": what is picked becomes a chip with a hidden input of that name.
kehu.each("[data-many]", (field) => {
  field.addEventListener("change", (event) => {
    const value = event.target;
    if (!value.matches("[data-picker] > input[type=hidden]") || !value.value) return;
    event.stopPropagation();
    const chips = field.querySelector(".many-chips");
    const input = field.querySelector("[role=combobox]");
    const taken = [...chips.querySelectorAll("input[type=hidden]")].some((hidden) => hidden.value === value.value);
    if (!taken) chips.append(chip(field.dataset.many, value.value, input.value));
    value.value = input.value = "";
    changed(chips);
  });
});

// Sends one file; answers what the server made of it, or throws its words.
const send = async (url, file) => {
  const body = new FormData();
  body.append("file", file);
  let answer;
  try {
    answer = await fetch(url, { method: "POST", body, headers: { "HX-Request": "true" } });
  } catch {
    throw new Error(kehu.word("offline"));
  }
  if (answer.ok) return answer.json();
  const said = new DOMParser().parseFromString(await answer.text(), "text/html").body.textContent.trim().slice(0, 200);
  throw new Error(said || kehu.word("failed"));
};

// data-files="name" data-url: each chosen file is sent at once; data-several allows more than one.
kehu.each("[data-files]", (field) => {
  const chips = () => field.querySelector(".many-chips");
  const say = (text) => { field.querySelector(".field-error").textContent = text; };
  const url = kehu.localPath(field.dataset.url);
  const limit = Number(field.dataset.max || 0);
  field.addEventListener("change", async (event) => {
    const input = event.target;
    if (!input.matches("input[type=file]")) return;
    event.stopPropagation();
    const files = [...input.files];
    input.value = "";
    say("");
    for (const file of files) {
      if (limit && file.size > limit) { say(`${file.name}: ${kehu.word("tooBig").replace("{}", `${Math.round(limit / 1048576)} MB`)}`); continue; }
      const waiting = Object.assign(document.createElement("span"), { className: "tag-chip is-sending", textContent: file.name });
      chips().append(waiting);
      try {
        const made = await send(url, file);
        waiting.remove();
        if (!("several" in field.dataset)) chips().replaceChildren();
        chips().append(chip(field.dataset.files, made.id, made.name, `/cases/files/${made.id}?inline=1`));
        changed(chips());
      } catch (problem) {
        waiting.remove();
        say(`${file.name}: ${problem.message}`);
      }
    }
  });
});

// data-signature="name" data-url: a signature on glass, sent as a picture when the pen is lifted for a moment. The picture
// that was sent is drawn again where the glass was wiped by a new answer.
const glasses = new WeakMap();
document.addEventListener("htmx:after:swap", () => {
  for (const field of document.querySelectorAll("[data-signature]")) glasses.get(field)?.();
});
kehu.each("[data-signature]", (field) => {
  const canvas = () => field.querySelector("canvas");
  const value = () => field.querySelector("input[type=hidden]");
  const state = (word) => { field.querySelector("[data-signature-state]").textContent = kehu.word(word); };
  const say = (text) => { field.querySelector(".field-error").textContent = text; };
  const url = kehu.localPath(field.dataset.url);
  let drawing = false;
  let clock = 0;
  let strokes = 0;
  // Drawn, and not on the server yet; with the button of a form that was to be sent meanwhile.
  let isPending = false;
  let waits = null;
  const fit = () => {
    const glass = canvas();
    const scale = window.devicePixelRatio || 1;
    const box = glass.getBoundingClientRect();
    const [width, height] = [Math.round(box.width * scale), Math.round(box.height * scale)];
    if (!width || (glass.width === width && glass.height === height) || drawing) return;
    // A drawing that is not sent yet outlasts a change of size.
    const drawn = isPending ? Object.assign(document.createElement("canvas"), { width: glass.width, height: glass.height }) : null;
    drawn?.getContext("2d").drawImage(glass, 0, 0);
    glass.width = width;
    glass.height = height;
    const pen = glass.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    // As large as the glass allows, never out of shape.
    const paint = (picture) => {
      const part = Math.min(box.width / picture.width, box.height / picture.height);
      pen.drawImage(picture, 0, 0, picture.width * part, picture.height * part);
    };
    if (drawn?.width && drawn.height) paint(drawn);
    pen.lineWidth = 2.4;
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = "#111827";
    if (isPending || !value().value) return;
    const picture = new Image();
    picture.addEventListener("load", () => { if (!drawing && !isPending) paint(picture); });
    picture.src = `/cases/files/${value().value}?inline=1`;
  };
  glasses.set(field, fit);
  new ResizeObserver(fit).observe(field);
  const at = (event) => { const box = canvas().getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const keep = () => canvas().toBlob(async (blob) => {
    const drawn = strokes;
    try {
      const made = await send(url, new File([blob], "signature.png", { type: "image/png" }));
      if (drawn !== strokes) return;
      isPending = false;
      value().value = made.id;
      say("");
      state("signed");
      changed(value());
      const form = field.closest("form");
      const button = waits;
      waits = null;
      if (button && form) form.requestSubmit(button.isConnected ? button : null);
    } catch (problem) {
      say(problem.message);
      addEventListener("online", () => { if (drawn === strokes && field.isConnected) keep(); }, { once: true });
    }
  }, "image/png");
  field.addEventListener("pointerdown", (event) => {
    if (event.target !== canvas()) return;
    fit();
    drawing = isPending = true;
    strokes += 1;
    clearTimeout(clock);
    canvas().setPointerCapture(event.pointerId);
    const pen = canvas().getContext("2d");
    pen.beginPath();
    pen.moveTo(...at(event));
    event.preventDefault();
  });
  field.addEventListener("pointermove", (event) => {
    if (!drawing) return;
    const pen = canvas().getContext("2d");
    pen.lineTo(...at(event));
    pen.stroke();
  });
  const lift = () => {
    if (!drawing) return;
    drawing = false;
    state("signing");
    clock = setTimeout(keep, 700);
  };
  field.addEventListener("pointerup", lift);
  field.addEventListener("pointercancel", lift);
  field.addEventListener("click", (event) => {
    if (!event.target.closest("[data-signature-clear]")) return;
    clearTimeout(clock);
    strokes += 1;
    isPending = false;
    waits = null;
    canvas().getContext("2d").clearRect(0, 0, canvas().width, canvas().height);
    value().value = "";
    say("");
    state("sign");
    changed(value());
  });
  // A form waits for its signature to arrive, and goes then.
  field.closest("form")?.addEventListener("submit", (event) => {
    if (!isPending || !field.isConnected) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    waits = event.submitter ?? event.target.querySelector("button[type=submit]");
    say(kehu.word("signing"));
  }, true);
});

// data-lines="name": rows of inputs named NAME.N.COLUMN.
kehu.on("click", "[data-line-add]", (event, button) => {
  const body = button.closest("[data-lines]").querySelector("tbody");
  const row = body.lastElementChild.cloneNode(true);
  const next = Math.max(-1, ...[...body.querySelectorAll("[name]")].map((input) => Number(input.name.split(".").at(-2)))) + 1;
  for (const input of row.querySelectorAll("input, select")) {
    if (input.name) input.name = input.name.replace(/\.\d+\.([^.]+)$/, `.${next}.$1`);
    input.value = "";
    input.removeAttribute("value");
  }
  body.append(row);
  row.dispatchEvent(new Event("kehu:added", { bubbles: true }));
  row.querySelector("input:not([type=hidden]), select")?.focus();
});
kehu.on("click", "[data-line-remove]", (event, button) => {
  const row = button.closest("tr");
  const body = row.parentElement;
  if (body.children.length > 1) row.remove();
  else row.querySelectorAll("input, select").forEach((input) => { input.value = ""; });
  changed(body.closest("[data-lines]"));
});

// data-draft="key" on a form: plain inputs are kept on the device while they are typed, and given back when the form is
// opened again. A form that could not be sent for want of a connection is sent once there is one.
const draftKey = (form) => `draft:${form.dataset.draft}`;
const draftFields = (form) => [...form.elements].filter((field) => field.name.startsWith("v.") || field.name === "comment")
  .filter((field) => field.type !== "hidden" && field.type !== "file");
const store = {
  read: (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
  write: (key, value) => { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* full or forbidden: nothing is kept */ } },
  drop: (key) => { try { localStorage.removeItem(key); } catch { /* forbidden */ } },
};
const isTicked = (field) => field.type === "checkbox" || field.type === "radio";
// Whether it holds something else than it came with.
const isChanged = (field) => {
  if (isTicked(field)) return field.checked !== field.defaultChecked;
  if (!field.options) return field.value !== field.defaultValue;
  const given = [...field.options].findIndex((option) => option.defaultSelected);
  return field.selectedIndex !== Math.max(given, 0);
};
kehu.each("form[data-draft]", (form) => {
  const key = draftKey(form);
  const keep = () => {
    const values = {};
    // What was kept before stays: after a refusal the form comes with what was typed.
    const names = new Set(Object.keys(store.read(key)?.values ?? {}));
    for (const field of draftFields(form)) if (isChanged(field)) names.add(field.name);
    for (const field of draftFields(form)) {
      if (!names.has(field.name)) continue;
      values[field.name] ??= [];
      if (!isTicked(field) || field.checked) values[field.name].push(field.value);
    }
    if (Object.keys(values).length) store.write(key, { at: Date.now(), values });
    else store.drop(key);
  };
  form.addEventListener("input", keep);
  form.addEventListener("change", keep);
  const kept = store.read(key);
  const isOld = kept && Date.now() - kept.at > 7 * 24 * 3600 * 1000;
  if (isOld) store.drop(key);
  if (!kept || isOld || form.querySelector(".form-errors, [aria-invalid=true]")) return;
  let restored = false;
  for (const field of draftFields(form)) {
    const values = kept.values[field.name];
    if (!values) continue;
    if (isTicked(field)) field.checked = values.includes(field.value);
    else field.value = values.shift() ?? "";
    restored ||= isChanged(field);
  }
  if (!restored) return store.drop(key);
  const note = Object.assign(document.createElement("p"), { className: "draft-note faint" });
  const drop = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm btn-ghost", textContent: kehu.word("discard") });
  drop.addEventListener("click", () => { store.drop(key); form.reset(); note.remove(); });
  note.append(kehu.word("restored"), drop);
  form.prepend(note);
});
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const form = ctx.sourceElement?.closest?.("form[data-draft]");
  if (form && ctx.response?.status < 400) store.drop(draftKey(form));
});
// No answer at all: the connection is gone. Each form that waited for it is sent once, with the button that sent it.
const buttons = new WeakMap();
const unsent = new Set();
document.addEventListener("submit", (event) => buttons.set(event.target, event.submitter), true);
document.addEventListener("htmx:error", (event) => {
  const form = event.detail.ctx?.sourceElement?.closest?.("form[data-draft]");
  if (!form || navigator.onLine) return;
  if (unsent.has(form)) return;
  unsent.add(form);
  kehu.toast({ text: kehu.word("keptOffline"), kind: "warn" });
});
addEventListener("online", () => {
  const forms = [...unsent];
  unsent.clear();
  for (const form of forms) {
    const button = buttons.get(form);
    if (form.isConnected) form.requestSubmit(button?.isConnected ? button : null);
  }
});
