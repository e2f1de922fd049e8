// [data-drop]: choose or drop files. With data-url each file is sent at once (multipart, field `file`) with a
// progress bar; the html of the answer goes into the list. With data-changed what was sent is shown elsewhere on the
// page: once nothing is on its way, that event is sent to the body instead. Without data-url the input is part of its
// form.
const size = (bytes) => (bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`);

kehu.each("[data-drop]", (zone) => {
  const input = zone.querySelector("input[type=file]");
  const list = zone.parentElement.querySelector(".drop-files");
  const limit = Number(zone.dataset.max || 0);
  const url = kehu.localPath(zone.dataset.url);

  let underway = 0;
  let sent = 0;
  // Lines of refused files stay until the person has read them.
  const ended = () => {
    underway -= 1;
    if (underway > 0 || !sent) return;
    sent = 0;
    htmx.trigger(document.body, zone.dataset.changed);
  };

  const line = (file, note) => {
    const item = document.createElement("li");
    const name = Object.assign(document.createElement("span"), { textContent: file.name, className: "ellipsis" });
    const state = Object.assign(document.createElement("span"), { textContent: note, className: "soft tnum" });
    item.append(document.createElement("span"), name, state);
    list.append(item);
    return { item, state };
  };
  const send = (file) => {
    const { item, state } = line(file, size(file.size));
    const bar = Object.assign(document.createElement("progress"), { max: 100, value: 0 });
    bar.setAttribute("aria-label", file.name);
    item.append(bar);
    // fetch cannot tell how much has been sent.
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("HX-Request", "true");
    request.upload.onprogress = (event) => { if (event.lengthComputable) { bar.value = (100 * event.loaded) / event.total; state.textContent = `${Math.round(bar.value)}%`; } };
    underway += 1;
    if (zone.dataset.changed) request.onloadend = ended;
    request.onload = () => {
      const location = request.getResponseHeader("HX-Redirect");
      if (location) { window.location.href = kehu.localPath(location) ?? "/"; return; }
      bar.remove();
      if (request.status < 300 && zone.dataset.changed) {
        sent += 1;
        item.remove();
      } else if (request.status < 300) {
        const made = document.createElement("template");
        made.innerHTML = request.responseText;
        if (made.content.childElementCount) { item.replaceWith(made.content); htmx.process(list); } else state.textContent = "✓";
      } else {
        const said = new DOMParser().parseFromString(request.responseText, "text/html").body.textContent.trim().slice(0, 200);
        state.textContent = said || kehu.word("failed");
        state.className = "field-error";
      }
    };
    request.onerror = () => { bar.remove(); state.textContent = kehu.word("offline"); state.className = "field-error"; };
    const form = new FormData();
    form.append("file", file);
    request.send(form);
  };
  const take = (files) => {
    if (!url) list.replaceChildren();
    for (const file of files) {
      if (limit && file.size > limit) line(file, kehu.word("tooBig").replace("{}", size(limit))).state.className = "field-error";
      else if (url) send(file);
      else line(file, size(file.size));
    }
    if (url) input.value = "";
  };
  input.addEventListener("change", () => take([...input.files]));
  for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, () => zone.classList.add("over"));
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
});
