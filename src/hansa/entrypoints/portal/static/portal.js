// What pages do beyond what HTML does by itself. All of them work without this file.

const body = document.body;

/* Elements that draw are loaded by the pages that have them. */
const DRAWN = { "x-chart": "./chart.js", "x-map": "./map.js" };
function draw(root) {
  for (const [name, source] of Object.entries(DRAWN)) {
    if (root.querySelector?.(name) && !customElements.get(name)) import(source);
  }
}

/* --- dialogs: before the browser knows command and commandfor, and questions before changes ---- */

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[commandfor]");
  if (!button || "commandForElement" in HTMLButtonElement.prototype) return;
  const dialog = document.getElementById(button.getAttribute("commandfor"));
  if (button.getAttribute("command") === "show-modal") dialog?.showModal();
  if (button.getAttribute("command") === "close") dialog?.close();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = form.dataset.confirm;
  if (!question || form.dataset.agreed) {
    once(event);
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
  ask(form, question).then((agreed) => {
    if (!agreed) return;
    form.dataset.agreed = "1";
    form.requestSubmit(event.submitter ?? undefined);
    delete form.dataset.agreed;
  });
}, true);

function ask(form, question) {
  const { confirmText, confirmYes, confirmNo, confirmTone } = form.dataset;
  const dialog = make("dialog", "", { "aria-labelledby": "question", role: "alertdialog" });
  const yes = make("button", confirmYes, { class: `btn btn-${confirmTone || "primary"}`, value: "yes" });
  const no = make("button", confirmNo, { class: "btn", value: "no", autofocus: "" });
  const end = make("div", "", { class: "dialog-end" });
  end.append(no, yes);
  const inner = make("form", "", { method: "dialog" });
  inner.append(make("h2", question, { id: "question" }));
  if (confirmText) inner.append(make("p", confirmText, { class: "quiet" }));
  inner.append(end);
  dialog.append(inner);
  body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

/* A form that changes something is sent once, however often it is pressed. */
function once(event) {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 5000); // an answer may be a file, and leave the page
}
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));
document.addEventListener("htmx:finally:request", (event) => delete event.target.closest?.("form")?.dataset.sent);

/* --- after a part of the page was replaced ------------------------------------------------------ */

let held;
document.addEventListener("htmx:before:swap", () => {
  const at = document.activeElement;
  held = at && at !== body ? { id: at.id, name: at.name } : undefined;
});

document.addEventListener("htmx:after:swap", (event) => {
  draw(document);
  const target = event.detail.ctx?.target ?? event.target;
  if (document.activeElement !== body || !held) return;
  // What was pressed is gone: go on where its like is now, else where the new content begins.
  const like = held.id ? document.getElementById(held.id) : null;
  const next = like ?? target.querySelector?.("[autofocus], [aria-invalid=true], h2, .table-scroll") ?? target;
  if (!next.hasAttribute("tabindex") && !next.matches("a, button, input, select, textarea")) next.setAttribute("tabindex", "-1");
  next.focus({ preventScroll: true });
});

/* --- when the server does not answer ------------------------------------------------------------ */

document.addEventListener("htmx:error", (event) => {
  if (!event.detail.ctx?.response && !event.target.closest?.("[data-live]")) toast(body.dataset.failed);
});

function toast(words) {
  const list = document.getElementById("toasts");
  if ([...list.children].some((one) => one.textContent === words)) return;
  const note = make("div", words, { class: "toast-note" });
  list.append(note);
  setTimeout(() => note.remove(), 8000);
}

function live(state) {
  return (event) => {
    const place = event.target.closest?.("[data-live]");
    if (!place) return;
    const word = place.querySelector("[data-live-word]");
    place.dataset.live = state;
    word.textContent = word.dataset[state];
  };
}
document.addEventListener("htmx:sse:after:connection", live("on"));
document.addEventListener("htmx:sse:error", live("off"));
document.addEventListener("htmx:sse:close", live("none"));

/* ------------------------------------------------------------------------------------------------ */

function make(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

document.querySelectorAll("dialog[data-open]").forEach((dialog) => dialog.showModal());
draw(document);
