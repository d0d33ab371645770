// What the frame does by itself: sheets (dialogs), the menu, the search, chosen rows, arrows in lists, notices that fade.
//   <button data-open="find">                 opens the dialog with that id; [data-close] inside closes it
//   <input data-choose-all>, [data-choose-row] rows of the form around them; .chosen-bar shows their number
//   <select data-submit>                      sends its form when it changes
//   <form data-confirm="question">            asks first
//   <button data-copy="text" data-copied="Copied">  copies the text and says so in its <span>
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) {
    event.preventDefault();
    const sheet = document.getElementById(opener.dataset.open);
    if (sheet && !sheet.open) sheet.showModal();
    $("[autofocus]", sheet)?.focus();
  }
  const closer = event.target.closest("[data-close]");
  if (closer) closer.closest("dialog")?.close();
  if (event.target.matches?.("dialog.sheet")) event.target.close(); // the backdrop
  if (event.target.closest("[data-fold-side]")) {
    const isNarrow = document.documentElement.classList.toggle("narrow-side");
    try {
      localStorage.setItem("side", isNarrow ? "narrow" : "wide");
    } catch {
      // not kept, then
    }
  }
  if (event.target.closest("[data-side]")) toggleSide();
  const away = event.target.closest("[data-take-away]");
  if (away) away.closest("[data-part]").remove();
  const copier = event.target.closest("[data-copy]");
  if (copier) copy(copier);
  if (event.target.closest("[data-gone]")) event.target.closest("[data-gone]").closest(".toast-line, .note")?.remove();
});

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    const field = document.createElement("textarea"); // over plain http there is no clipboard to write to
    field.value = button.dataset.copy;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  const said = $("span", button);
  if (!said || said.hasAttribute("role")) return;
  const before = [...said.childNodes];
  said.setAttribute("role", "status");
  said.replaceChildren(button.dataset.copied);
  setTimeout(() => {
    said.replaceChildren(...before);
    said.removeAttribute("role");
  }, 2000);
}

function toggleSide() {
  const side = $("#side");
  const isOpen = side.classList.toggle("is-open");
  $(".burger")?.setAttribute("aria-expanded", String(isOpen));
  $(".side-veil")?.toggleAttribute("hidden", !isOpen);
  if (isOpen) $(".side-link", side)?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && $("#side.is-open")) toggleSide();
  const hits = event.target.closest?.("[data-arrows]");
  if (hits && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const all = [$("input", hits), ...$$("a, button.find-hit", hits)].filter(Boolean);
    const at = all.indexOf(document.activeElement);
    event.preventDefault();
    all[(at + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length]?.focus();
  }
  if (hits && event.key === "Enter" && event.target.matches("input")) {
    const first = $("a.find-hit", hits);
    if (first) {
      event.preventDefault();
      first.click();
    }
  }
  const isTyping = event.target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (!isTyping && !event.ctrlKey && !event.metaKey && !event.altKey && /^[jkx]$/.test(event.key) && $("[data-rows]") && !$("dialog[open]")) walk(event.key);
});

// j and k walk through the rows of a list, x chooses one, Enter opens it (its link has the focus)
function walk(key) {
  const rows = $$("[data-rows] > tr");
  const at = rows.findIndex((row) => row.classList.contains("is-current"));
  if (key === "x") {
    $("[data-choose-row]", rows[at] || document.createElement("tr"))?.click();
    return;
  }
  const next = rows[Math.min(Math.max(at + (key === "j" ? 1 : -1), 0), rows.length - 1)];
  rows[at]?.classList.remove("is-current");
  next?.classList.add("is-current");
  $(".main a", next)?.focus();
}

function countChosen(form) {
  const boxes = $$("[data-choose-row]", form);
  const chosen = boxes.filter((box) => box.checked);
  boxes.forEach((box) => box.closest("tr")?.classList.toggle("is-chosen", box.checked));
  const all = $("[data-choose-all]", form);
  if (all) {
    all.checked = chosen.length > 0 && chosen.length === boxes.length;
    all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
  }
  const bar = $(".chosen-bar", form);
  if (bar) {
    bar.hidden = chosen.length === 0;
    $$("[data-chosen-count]", bar).forEach((place) => (place.textContent = String(chosen.length)));
  }
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form");
  if (event.target.matches("[data-choose-all]")) $$("[data-choose-row]", form).forEach((box) => (box.checked = event.target.checked));
  if (event.target.matches("[data-choose-all], [data-choose-row]")) countChosen(form);
  if (event.target.matches("[data-submit]")) form.requestSubmit();
  if (event.target.matches(".drop input[type=file]") && event.target.files.length) $("[data-file-name]", event.target.closest(".drop")).textContent = event.target.files[0].name;
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-choose-none]")) return;
  const form = event.target.closest("form");
  $$("[data-choose-row]", form).forEach((box) => (box.checked = false));
  countChosen(form);
});

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm || event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
}, true);

// a click on a row's free space opens it, a double click on a value edits it where it stands
document.addEventListener("dblclick", (event) => {
  const fact = event.target.closest(".fact[data-edits]");
  if (fact && !event.target.closest("a, form")) $(".pen", fact)?.click();
});

["dragover", "dragleave", "drop"].forEach((kind) =>
  document.addEventListener(kind, (event) => {
    const drop = event.target.closest?.(".drop");
    if (!drop) return;
    event.preventDefault();
    drop.classList.toggle("is-over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) {
      const field = $("input[type=file]", drop);
      field.files = event.dataTransfer.files;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }),
);

// the tab that one is on is not left beyond the edge of a row of tabs that does not fit
function showTab(tab) {
  const row = tab.parentElement;
  row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
}

// <option>s and bars get their numbers from attributes, because the policy forbids style attributes
export function settle(root) {
  for (const tab of $$(".tabs > [aria-current], .tabs > [aria-selected='true']", root)) showTab(tab);
  $$("[data-notice]", root).forEach((line) => {
    if (line.dataset.timed) return;
    line.dataset.timed = "yes";
    if (!line.classList.contains("wrong")) setTimeout(() => line.remove(), 6000);
  });
}
document.addEventListener("DOMContentLoaded", () => settle(document));
document.addEventListener("htmx:load", (event) => settle(event.detail.elt));
document.addEventListener("htmx:oobAfterSwap", () => settle(document));
document.addEventListener("htmx:sendError", () => notice("The server could not be reached. Check the connection and try again."));

export function notice(text) {
  const place = $("#toasts");
  if (!place) return;
  const line = document.createElement("div");
  line.className = "toast-line wrong";
  line.dataset.notice = "";
  line.textContent = place.dataset.unreachable || text;
  place.append(line);
  settle(document);
}

// in the form that edits several records, touching a field ticks it
document.addEventListener("input", (event) => {
  const tick = event.target.closest(".mass-field")?.querySelector("input[name=change]");
  if (tick && event.target !== tick) tick.checked = true;
});

// what was written in the box of a timeline is cleared once it is saved
document.addEventListener("htmx:afterRequest", (event) => {
  const box = event.detail.elt;
  if (event.detail.successful && box.matches?.(".write-box")) box.reset();
});
