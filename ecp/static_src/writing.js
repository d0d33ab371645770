// The writing page: tabs, the preview that follows what is typed, inserting tags and pictures, and what was typed but never saved.
const form = document.getElementById("write");
const frames = [...document.querySelectorAll(".mail-stage iframe")];
const panes = [...document.querySelectorAll("[data-pane]")].map((one) => one.dataset.pane);
const $ = (selector) => document.querySelector(selector);
const DRAFT = `draft:${form.dataset.id}`;
const REST = 60; // ms without a key before the preview follows
let as = "desktop";
let scheme = "light";
let waiting = 0;
let asked = 0, askedFacts = 0;

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
function show(then) {
  const target = document.getElementById("preview-form");
  const next = frames.find((frame) => frame.hidden) || frames[1];
  target.action = form.dataset.preview;
  target.target = next.name;
  target.replaceChildren();
  for (const [name, value] of [...typed(), ["as", as], ["scheme", scheme]]) {
    const field = document.createElement("textarea");
    field.name = name;
    field.value = value;
    target.append(field);
  }
  const turn = ++asked;
  next.addEventListener("load", () => {
    if (turn !== asked) return;
    frames.forEach((frame) => { frame.hidden = frame !== next; });
    then?.();
  }, { once: true });
  target.submit();
}

async function tell() {
  const turn = ++askedFacts; // its own count: another width of the picture changes nothing that is said
  const answer = await fetch(form.dataset.facts, { method: "POST", body: new URLSearchParams(typed()), headers: { "X-CSRF-Token": form.elements.csrf.value } });
  if (!answer.ok || turn !== askedFacts) return;
  document.getElementById("facts").outerHTML = await answer.text();
  visual.editor?.setSize(+document.getElementById("facts").dataset.bytes);
  mark();
}

function mark() {
  const problems = [...document.querySelectorAll("[data-problems] [data-line]")].filter((one) => one.dataset.line !== "0" && one.dataset.field === "source");
  area().editor?.setErrors(problems.map((one) => ({ line: +one.dataset.line, column: +one.dataset.column, message: one.textContent.trim() })));
}

function follow() {
  clearTimeout(waiting);
  waiting = setTimeout(() => show(tell), REST); // one after the other: both compile the mail, and the preview is waited for
}

// What was typed and not saved is kept in this browser, and offered when the page is opened again (nothing is saved by itself).
const kept = ["mjml", "html", "text", "name", "subject", "preheader"].filter((name) => form.elements[name]);
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

// The text of the code view, changed from elsewhere.
function setCode(name, text) {
  const field = form.elements[name];
  if (field.value === text) return;
  if (field.editor) field.editor.view.dispatch({ changes: { from: 0, to: field.editor.view.state.doc.length, insert: text } });
  else {
    field.value = text;
    form.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

// The visual editor is fetched when it is first opened. The code view's text stays what is saved: each change goes there.
const visual = { root: document.getElementById("visual"), editor: null, isOpen: false };
function fetched() {
  if (window.mailVisual) return Promise.resolve();
  const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: visual.root.dataset.sheet });
  const script = Object.assign(document.createElement("script"), { src: visual.root.dataset.script });
  document.head.append(sheet, script);
  return Promise.all([sheet, script].map((one) => new Promise((done, failed) => { one.onload = done; one.onerror = failed; })));
}
function draw(isOpen, why = "") {
  visual.isOpen = isOpen;
  visual.root.hidden = !isOpen;
  form.closest(".write-grid").classList.toggle("is-visual", isOpen);
  $(".code-view").hidden = isOpen || form.elements.source.value !== "mjml";
  document.querySelectorAll("[data-view]").forEach((one) => one.setAttribute("aria-pressed", String((one.dataset.view === "visual") === isOpen)));
  document.querySelectorAll('[data-open="insert"], [data-open="picture"], #source').forEach((one) => { one.hidden = isOpen; });
  const note = document.getElementById("visual-refused");
  note.hidden = !why;
  note.querySelector("p").textContent = why;
}
const VIEW = "mail-view";
function keepView(view) {
  try {
    localStorage.setItem(VIEW, view);
  } catch {
    // the next mail opens as code, then
  }
}
function lastView() {
  try {
    return localStorage.getItem(VIEW);
  } catch {
    return null;
  }
}
async function openVisual() {
  const { refused } = JSON.parse(visual.root.dataset.kit).words;
  if (form.elements.source.value === "html") return draw(false, refused.html);
  if (!form.elements.mjml.value.trim()) return draw(false, refused.empty);
  await fetched();
  draw(true);
  visual.editor ||= await window.mailVisual.start(visual.root, { onChange: (text) => setCode("mjml", text), askPicture, saveRow });
  try {
    visual.editor.open(form.elements.mjml.value);
    visual.editor.setSize(+document.getElementById("facts").dataset.bytes);
  } catch (error) {
    const why = visual.editor.refused(error);
    if (!why) throw error;
    draw(false, why);
  }
}
function askPicture(alt) {
  document.getElementById("picture-form").elements.alt.value = alt;
  document.getElementById("picture").showModal();
}
// Asks for a name and keeps the row; gives what was kept, or nothing.
function saveRow(mjml) {
  const sheet = document.getElementById("row-name");
  const fault = sheet.querySelector("[data-row-fault]");
  fault.hidden = true;
  sheet.showModal();
  return new Promise((done) => {
    sheet.onclose = () => done(null);
    sheet.querySelector("form").onsubmit = async (event) => {
      event.preventDefault();
      const answer = await fetch(event.target.action, { method: "POST", body: new URLSearchParams({ name: event.target.elements.name.value, mjml }), headers: { "X-CSRF-Token": form.elements.csrf.value } });
      const said = await answer.json().catch(() => ({}));
      if (!answer.ok) {
        fault.hidden = false;
        fault.querySelector("p").textContent = said.message || String(answer.status);
        return;
      }
      done(said);
      event.target.reset();
      sheet.close();
    };
  });
}
if (visual.root) {
  document.querySelectorAll("[data-view]").forEach((button) => button.addEventListener("click", async () => {
    keepView(button.dataset.view);
    if (button.dataset.view === "visual") return visual.isOpen || openVisual();
    if (!visual.isOpen) return draw(false);
    await visual.editor.close();
    draw(false);
  }));
  // A mail that was just begun, or one of who worked visually last, opens so.
  const asked = new URLSearchParams(location.search).get("view");
  if ((asked || lastView()) === "visual" && form.elements.source.value === "mjml") openVisual();
  visual.root.querySelector("[data-do=preview]").addEventListener("click", (event) => {
    const isShown = form.closest(".write-grid").classList.toggle("is-previewing");
    event.currentTarget.setAttribute("aria-pressed", String(isShown));
  });
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
  const fault = sheet.querySelector("[data-picture-fault]");
  const refuse = (why) => {
    fault.hidden = !why;
    fault.querySelector("p").textContent = why;
  };
  if (sheet.elements.file.files[0]?.size > +sheet.dataset.most) return refuse(sheet.dataset.tooLarge); // not sent for nothing
  const answer = await fetch(sheet.action, { method: "POST", body: new FormData(sheet), headers: { "X-CSRF-Token": form.elements.csrf.value } }).catch(() => null);
  const said = (await answer?.json().catch(() => null)) || {};
  refuse(answer?.ok ? "" : said.message || sheet.dataset.failed);
  if (!answer?.ok) return;
  const picture = document.createElement("img");
  picture.setAttribute("src", said.src);
  picture.setAttribute("alt", sheet.elements.alt.value);
  const html = picture.outerHTML;
  const alt = sheet.elements.alt.value;
  $("#picture").close();
  sheet.reset();
  if (visual.isOpen) return visual.editor.addPicture(said.src, alt);
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
  if (visual.root) document.getElementById("visual-refused").hidden = true;
  follow();
});
$("[data-scheme]").addEventListener("click", (event) => {
  scheme = scheme === "dark" ? "light" : "dark";
  event.currentTarget.setAttribute("aria-pressed", String(scheme === "dark"));
  $(".mail-stage").dataset.scheme = scheme;
  show();
});
document.getElementById("as-person").addEventListener("change", (event) => {
  form.elements.person.value = event.target.value;
  document.querySelectorAll("[data-person]").forEach((one) => { one.value = event.target.value; });
  follow();
});
// What depends on the folder: mails of the folder Campaign go by themselves, so they have a sending time; templates of which the
// house decides who sends them have no sender. (Without scripts all stands there, and what does not apply is not kept.)
function reveal() {
  const said = (name) => form.elements[name]?.value || "";
  const isCampaign = said("folder") === "Campaign";
  const when = isCampaign ? said("sending_time") : "";
  const sends = said("kind") !== "template" || ["Campaign", "Public", "Event", ""].includes(said("folder"));
  const shown = {
    sender_name: sends, sender_address_id: sends, reply_to: sends, sending_time: isCampaign, sending_on: when === "once",
    sending_weekday: when === "weekly", sending_day: when === "monthly", sending_at: Boolean(when) && when !== "immediately",
  };
  for (const [name, isShown] of Object.entries(shown)) {
    const box = document.getElementById(`f-${name}`)?.closest(".form-fields > div");
    if (box) box.hidden = !isShown;
  }
  document.querySelectorAll("#pane-info .form-block").forEach((block) => { block.hidden = !block.querySelector(".form-fields > div:not([hidden])"); });
}
form.addEventListener("change", reveal);
reveal();
form.addEventListener("input", () => { follow(); keepDraft(); });
form.addEventListener("submit", () => {
  if (visual.isOpen) setCode("mjml", visual.editor.text()); // also what is just being written there
  dropDraft();
});
// A link to a field, as the sum of what was refused has it, opens the part of the mail that holds the field.
function openPlace() {
  const place = location.hash.slice(1);
  const field = place.startsWith("f-") ? document.getElementById(place) : null;
  open(field ? (field.closest("[role=tabpanel]")?.id || "").replace("pane-", "") : place);
  field?.focus();
}
window.addEventListener("hashchange", openPlace);
openPlace();
offerDraft();
show();
mark();
