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

// data-many="name": what is picked becomes a chip with a hidden input of that name.
kehu.each("[data-many]", (field) => {
  const chips = field.querySelector(".many-chips");
  const value = field.querySelector("[data-picker] > input[type=hidden]");
  const input = field.querySelector("[role=combobox]");
  value.addEventListener("change", (event) => {
    if (!value.value) return;
    event.stopPropagation();
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
  const input = field.querySelector("input[type=file]");
  const chips = field.querySelector(".many-chips");
  const error = field.querySelector(".field-error");
  const url = kehu.localPath(field.dataset.url);
  const limit = Number(field.dataset.max || 0);
  input.addEventListener("change", async (event) => {
    event.stopPropagation();
    const files = [...input.files];
    input.value = "";
    error.textContent = "";
    for (const file of files) {
      if (limit && file.size > limit) { error.textContent = kehu.word("tooBig").replace("{}", `${Math.round(limit / 1048576)} MB`); continue; }
      const waiting = Object.assign(document.createElement("span"), { className: "tag-chip is-sending", textContent: file.name });
      if (!("several" in field.dataset)) chips.replaceChildren();
      chips.append(waiting);
      try {
        const made = await send(url, file);
        waiting.replaceWith(chip(field.dataset.files, made.id, made.name, `/cases/files/${made.id}?inline=1`));
        changed(chips);
      } catch (problem) {
        waiting.remove();
        error.textContent = `${file.name}: ${problem.message}`;
      }
    }
  });
});

// data-signature="name" data-url: a signature on glass, sent as a picture when the pen is lifted for a moment.
kehu.each("[data-signature]", (field) => {
  const canvas = field.querySelector("canvas");
  const value = field.querySelector("input[type=hidden]");
  const state = field.querySelector("[data-signature-state]");
  const error = field.querySelector(".field-error");
  const url = kehu.localPath(field.dataset.url);
  const pen = canvas.getContext("2d");
  let drawing = false;
  let clock = 0;
  let strokes = 0;
  const fit = () => {
    const scale = window.devicePixelRatio || 1;
    const box = canvas.getBoundingClientRect();
    if (!box.width || strokes) return;
    canvas.width = box.width * scale;
    canvas.height = box.height * scale;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.lineWidth = 2.4;
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = "#111827";
  };
  new ResizeObserver(fit).observe(canvas);
  const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const keep = () => canvas.toBlob(async (blob) => {
    const drawn = strokes;
    try {
      const made = await send(url, new File([blob], "signature.png", { type: "image/png" }));
      if (drawn !== strokes) return;
      value.value = made.id;
      error.textContent = "";
      state.textContent = kehu.word("signed");
      changed(value);
    } catch (problem) {
      error.textContent = problem.message;
      addEventListener("online", keep, { once: true });
    }
  }, "image/png");
  canvas.addEventListener("pointerdown", (event) => {
    fit();
    drawing = true;
    strokes += 1;
    clearTimeout(clock);
    canvas.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...at(event));
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => { if (drawing) { pen.lineTo(...at(event)); pen.stroke(); } });
  const lift = () => { if (!drawing) return; drawing = false; state.textContent = kehu.word("signing"); clock = setTimeout(keep, 700); };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  field.querySelector("[data-signature-clear]").addEventListener("click", () => {
    clearTimeout(clock);
    strokes += 1;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    strokes = 0;
    value.value = "";
    state.textContent = kehu.word("sign");
    changed(value);
  });
  // A form must not go before its signature has arrived.
  field.closest("form")?.addEventListener("submit", (event) => {
    if (state.textContent !== kehu.word("signing")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    error.textContent = kehu.word("signing");
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
kehu.each("form[data-draft]", (form) => {
  const key = draftKey(form);
  const keep = () => {
    const values = {};
    for (const field of draftFields(form)) {
      if (field.type === "checkbox" || field.type === "radio") { if (field.checked) (values[field.name] ??= []).push(field.value); }
      else if (field.value) (values[field.name] ??= []).push(field.value);
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
    if (field.type === "checkbox" || field.type === "radio") field.checked = values.includes(field.value);
    else if (!field.value) field.value = values.shift() ?? "";
    restored = true;
  }
  if (!restored) return;
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
// No answer at all: the connection is gone.
document.addEventListener("htmx:error", (event) => {
  const form = event.detail.ctx?.sourceElement?.closest?.("form[data-draft]");
  if (!form || navigator.onLine) return;
  kehu.toast({ text: kehu.word("keptOffline"), kind: "warn" });
  addEventListener("online", () => { if (form.isConnected) form.requestSubmit(); }, { once: true });
});
