// The writing page: tabs, the preview that follows what is typed, inserting tags and pictures, and what was typed but never saved.
const form = document.getElementById("write");
const frames = [...document.querySelectorAll(".mail-stage iframe")];
const panes = ["info", "content", "plain", "files", "test"];
const $ = (selector) => document.querySelector(selector);
const DRAFT = `draft:${form.dataset.id}`;
const REST = 100; // ms without a key before the preview follows
let as = "desktop";
let waiting = 0;
let asked = 0;

const area = () => form.elements[form.elements.source.value];
const typed = () => [...new FormData(form)].filter(([, value]) => typeof value === "string");

function open(key) {
  if (!panes.includes(key)) key = form.elements.tab.value || "content";
  panes.forEach((one) => {
    document.getElementById(`pane-${one}`).hidden = one !== key;
    const tab = document.getElementById(`tab-${one}`);
    tab.setAttribute("aria-selected", String(one === key));
    tab.tabIndex = one === key ? 0 : -1;
  });
  form.elements.tab.value = key;
}

// The mail is posted into a sandboxed frame with a policy of its own: its styles work there and its scripts do not. Of two
// frames one is filled unseen and then shown, so that nothing flickers.
function show() {
  const target = document.getElementById("preview-form");
  const next = frames.find((frame) => frame.hidden) || frames[1];
  target.action = form.dataset.preview;
  target.target = next.name;
  target.replaceChildren();
  for (const [name, value] of [...typed(), ["as", as]]) {
    const field = document.createElement("textarea");
    field.name = name;
    field.value = value;
    target.append(field);
  }
  const turn = ++asked;
  next.addEventListener("load", () => {
    if (turn === asked) frames.forEach((frame) => { frame.hidden = frame !== next; });
  }, { once: true });
  target.submit();
}

async function tell() {
  const turn = asked;
  const answer = await fetch(form.dataset.facts, { method: "POST", body: new URLSearchParams(typed()), headers: { "X-CSRF-Token": form.elements.csrf.value } });
  if (!answer.ok || turn !== asked) return;
  document.getElementById("facts").outerHTML = await answer.text();
  mark();
}

function mark() {
  const problems = [...document.querySelectorAll("[data-problems] [data-line]")].filter((one) => one.dataset.line !== "0" && one.dataset.field === "source");
  area().editor?.setErrors(problems.map((one) => ({ line: +one.dataset.line, column: +one.dataset.column, message: one.textContent.trim() })));
}

function follow() {
  clearTimeout(waiting);
  waiting = setTimeout(() => { show(); tell(); }, REST);
}

// What was typed and not saved is kept in this browser, and offered when the page is opened again (nothing is saved by itself).
const kept = ["mjml", "html", "text"];
const now = () => JSON.stringify(Object.fromEntries(kept.map((name) => [name, form.elements[name].value])));
const first = now();
function keepDraft() {
  try {
    if (now() === first) localStorage.removeItem(DRAFT);
    else localStorage.setItem(DRAFT, now());
  } catch {
    // storage is full or forbidden: the warning when leaving remains
  }
}
function dropDraft() {
  try {
    localStorage.removeItem(DRAFT);
  } catch {
    // nothing was kept, then
  }
  $("#draft").hidden = true;
}
function offerDraft() {
  let said = null;
  try {
    said = localStorage.getItem(DRAFT);
  } catch {
    return;
  }
  if (!said || said === first) return dropDraft();
  $("#draft").hidden = false;
  $("[data-take-draft]").addEventListener("click", () => {
    const values = JSON.parse(said);
    for (const name of kept) {
      const field = form.elements[name];
      if (field.editor) field.editor.view.dispatch({ changes: { from: 0, to: field.editor.view.state.doc.length, insert: values[name] || "" } });
      else field.value = values[name] || "";
    }
    $("#draft").hidden = true;
    form.dispatchEvent(new Event("input", { bubbles: true }));
  });
  $("[data-drop-draft]").addEventListener("click", dropDraft);
}

function insert(text) {
  const field = area();
  open("content");
  if (field.editor) return field.editor.insert(text);
  field.setRangeText(text);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

document.querySelectorAll("[data-pane]").forEach((tab) => {
  tab.addEventListener("click", () => open(tab.dataset.pane));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = panes[(panes.indexOf(tab.dataset.pane) + step + panes.length) % panes.length];
    open(next);
    document.getElementById(`tab-${next}`).focus();
  });
});
document.querySelectorAll("[data-show]").forEach((button) => button.addEventListener("click", () => {
  as = button.dataset.show;
  document.querySelectorAll("[data-show]").forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
  $(".mail-stage").dataset.stage = as;
  show();
}));
document.querySelectorAll("[data-insert]").forEach((button) => button.addEventListener("click", () => {
  $("#insert").close();
  insert(button.dataset.insert);
}));
$("[data-narrow]").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  $("[data-narrowed]").querySelectorAll("button").forEach((one) => {
    const text = one.textContent.toLowerCase();
    one.hidden = !words.every((word) => text.includes(word));
  });
});
$("[data-narrow]").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  $("[data-narrowed] button:not([hidden])")?.click();
});
$("#picture-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const sheet = event.target;
  const answer = await fetch(sheet.action, { method: "POST", body: new FormData(sheet), headers: { "X-CSRF-Token": form.elements.csrf.value } });
  const said = await answer.json().catch(() => ({}));
  const fault = sheet.querySelector("[data-picture-fault]");
  fault.hidden = answer.ok;
  if (!answer.ok) {
    fault.querySelector("p").textContent = said.message || String(answer.status);
    return;
  }
  const picture = document.createElement("img");
  picture.setAttribute("src", said.src);
  picture.setAttribute("alt", sheet.elements.alt.value);
  const html = picture.outerHTML;
  $("#picture").close();
  sheet.reset();
  insert(form.elements.source.value === "mjml" ? html.replace(/^<img/, "<mj-image").replace(/>$/, " />") : html);
});
$("[data-generate]").addEventListener("click", async () => {
  const body = new URLSearchParams(typed().filter(([name]) => name !== "text"));
  body.append("as", "generated");
  const answer = await fetch(form.dataset.preview, { method: "POST", body, headers: { "X-CSRF-Token": form.elements.csrf.value } });
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok || !parsed.querySelector("pre")) return;
  form.elements.text.value = parsed.querySelector("pre").textContent;
  form.dispatchEvent(new Event("input", { bubbles: true }));
});
form.elements.source.addEventListener("change", () => {
  document.querySelectorAll("[data-source-of]").forEach((one) => { one.hidden = one.dataset.sourceOf !== form.elements.source.value; });
  follow();
});
document.getElementById("as-person").addEventListener("change", (event) => {
  form.elements.person.value = event.target.value;
  document.querySelectorAll("[data-person]").forEach((one) => { one.value = event.target.value; });
  follow();
});
form.addEventListener("input", () => { follow(); keepDraft(); });
form.addEventListener("submit", dropDraft);
window.addEventListener("hashchange", () => open(location.hash.slice(1)));
open(location.hash.slice(1));
offerDraft();
show();
mark();
