// The builder of surveys: types are dragged to their place, questions into order, the preview follows what is typed.
// Everything here has a plain button or link too; without scripts the builder works by those.
import Sortable from "sortablejs";

const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const builder = document.querySelector("[data-survey-builder]");
const home = builder?.dataset.surveyBuilder;
const frame = document.querySelector("[data-preview]");
const token = document.querySelector('meta[name="csrf-token"]')?.content;

// conditions: rows are added by a button, values are offered from the options of the chosen question

function moreConditions(button) {
  const rows = button.parentElement;
  const last = $$("[data-condition]", rows).at(-1);
  const start = rows.dataset.rowsOf;
  const next = 1 + Math.max(-1, ...$$("[data-condition-question]", rows).map((one) => Number(one.name.slice(start.length + 1).split(".")[0])));
  const fresh = last.cloneNode(true);
  for (const field of $$("[name]", fresh)) {
    field.name = `${start}.${next}.${field.name.split(".").at(-1)}`;
    field.value = field.tagName === "SELECT" ? field.options[0].value : "";
  }
  last.after(fresh);
  fresh.querySelector("select").focus();
}

function enrich(root) {
  for (const button of $$("[data-more-conditions]", root)) button.hidden = false;
}

document.addEventListener("click", (event) => {
  const more = event.target.closest("[data-more-conditions]");
  if (more) moreConditions(more);
});
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-condition-question]")) return;
  const value = event.target.closest("[data-condition]").querySelector('[name$=".value"]');
  value.setAttribute("list", `values-of-${event.target.value}`);
});

// the preview: drawn by the server; what it shows is put into the frame, so that it neither blinks nor jumps

let asked = 0, waiting = 0;
const page = () => document.querySelector("[data-preview-page]")?.value || "1";
const query = () => {
  const language = document.querySelector("[data-preview-language]")?.value;
  return `page=${page()}${language ? `&language=${language}` : ""}`;
};

async function show(form) {
  const mine = ++asked;
  const said = form && new FormData(form);
  for (const [name, value] of [...(said ?? [])]) if (value instanceof File) said.delete(name);
  const answer = await fetch(`${home}/frame?${query()}`, form && { method: "POST", body: said, headers: { "X-CSRF-Token": token } });
  if (!answer.ok || mine !== asked) return;
  const text = await answer.text(); // its main part alone: our own policy forbids the sheet in its head
  const main = text.slice(text.indexOf("<main>"), text.indexOf("</main>") + 7);
  const drawn = new DOMParser().parseFromString(main, "text/html").querySelector("main");
  const held = frame.contentDocument?.querySelector("main");
  if (!drawn || !held) return;
  held.replaceWith(frame.contentDocument.adoptNode(drawn));
  frame.contentDocument.dispatchEvent(new Event("change"));
  const name = form?.elements.name.value;
  const question = name && frame.contentDocument.getElementById(`q-${name}`);
  if (question) frame.contentWindow.scrollTo({ top: question.offsetTop - 40 });
}

function showPage(list) {
  const chosen = document.querySelector("[data-preview-page]");
  if (chosen && list) chosen.value = list.dataset.place;
}

function follow(form) {
  clearTimeout(waiting);
  waiting = setTimeout(() => form.isConnected && show(form), 120); // saved meanwhile: the list shows it already
}

if (builder && frame) {
  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-question-form]");
    if (form) follow(form);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-preview-page], [data-preview-language]")) show();
    const form = event.target.closest("[data-question-form]");
    if (form) follow(form);
  });
}

// the theme: its sheet is part of the page, so the frame is loaded anew

const look = document.querySelector("[data-look-form]");
if (look && frame) {
  const start = frame.dataset.home;
  look.addEventListener("input", (event) => {
    const uses = event.target.type === "color" && look.elements[`uses_${event.target.name}`];
    if (uses) uses.checked = true;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const said = new FormData(look);
      said.delete("csrf");
      frame.contentWindow.location.replace(`${start}/frame?look=1&${new URLSearchParams(said)}`);
    }, 250);
  });
}

// order: dragged here, or moved by the buttons of each line

function keepOrder() {
  const said = new URLSearchParams();
  for (const list of $$("[data-page]")) {
    said.append("page", list.dataset.page);
    for (const line of $$(":scope > [data-question]", list)) said.append(`page-${list.dataset.page}`, line.dataset.question);
  }
  window.htmx.ajax("POST", `${home}/order`, { target: "#builder-pages", swap: "outerHTML", values: valuesOf(said) });
}

function valuesOf(said) {
  const values = {};
  for (const key of new Set(said.keys())) values[key] = said.getAll(key);
  return values;
}

function openNew(list, place, kind) {
  for (const old of $$(".is-new")) if (!old.dataset.typed) old.remove();
  const line = document.createElement("li");
  line.className = "survey-line is-new";
  const before = $$(":scope > [data-question]", list)[place];
  list.insertBefore(line, before ?? null);
  showPage(list);
  const address = `${home}/questions/new?kind=${kind}&page=${list.dataset.page}&place=${place}`;
  window.htmx.ajax("GET", address, { target: line, swap: "innerHTML" });
}

// forms that are open stay open with what was typed, whatever else redraws the list

let kept = [];

function keepOpenForms(but) {
  kept = $$("#builder-pages .survey-asks").filter((one) => !one.contains(but)).map((asks) => {
    const line = asks.closest(".survey-line");
    const before = line.nextElementSibling?.closest("[data-question]")?.dataset.question;
    const one = { asks, question: line.dataset.question, list: line.parentElement.dataset.page, before, shown: standing(line), typed: line.dataset.typed };
    asks.remove();
    return one;
  });
}

function openAgain() {
  for (const one of kept) {
    let line = document.querySelector(`#builder-pages [data-question="${one.question}"]`);
    if (!one.question) line = newLine(one);
    if (!line) continue; // deleted meanwhile
    (line.querySelector(".survey-form") ?? line).replaceChildren(one.asks);
    const form = one.asks.querySelector("[data-question-form]"), now = standing(line);
    for (const name of ["required", "visible"]) {
      const box = form?.elements[name];
      if (box && one.question && now[name] !== one.shown[name]) box.checked = now[name]; // switched in the list
    }
  }
  kept = [];
}

function standing(line) {
  const pressed = (start) => line.querySelector(`:scope > .survey-line-head [id^=${start}]`)?.getAttribute("aria-pressed") === "true";
  return { required: pressed("must-"), visible: !pressed("show-") };
}

function newLine(one) {
  const list = document.querySelector(`#builder-pages [data-page="${one.list}"]`);
  if (!list) return null;
  const line = document.createElement("li");
  line.className = "survey-line is-new";
  if (one.typed) line.dataset.typed = one.typed;
  list.insertBefore(line, one.before ? list.querySelector(`:scope > [data-question="${one.before}"]`) : null);
  const place = one.asks.querySelector("[name=place]");
  if (place) place.value = $$(":scope > [data-question], :scope > .is-new", list).filter((each) => each === line || each.dataset.question).indexOf(line);
  return line;
}

// a page more or less: the preview offers what there is

function offerPages() {
  const pages = document.querySelector("[data-preview-page]"), lists = $$("[data-page]");
  if (!pages || pages.options.length === lists.length) return;
  const chosen = pages.value;
  pages.replaceChildren(...lists.map((list) => new Option(list.dataset.label, list.dataset.place)));
  pages.value = lists.some((list) => list.dataset.place === chosen) ? chosen : "1";
}

function arrange() {
  if (!builder) return;
  for (const list of $$("[data-page]")) {
    if (list.dataset.sorting) continue;
    list.dataset.sorting = "yes";
    Sortable.create(list, {
      group: "questions", animation: 120, handle: "[data-handle]", draggable: "[data-question], [data-kind]",
      onAdd: (event) => {
        if (!event.item.dataset.kind) return;
        const place = $$(":scope > [data-question], :scope > [data-kind]", list).indexOf(event.item);
        event.item.remove();
        openNew(list, place, event.item.dataset.kind);
      },
      onEnd: (event) => event.item.dataset.question && (event.from !== event.to || event.oldIndex !== event.newIndex) && keepOrder(),
    });
  }
}

if (builder) {
  const tools = document.querySelector("[data-tools]");
  if (tools) {
    Sortable.create(tools, { group: { name: "questions", pull: "clone", put: false }, sort: false, animation: 120 });
    tools.addEventListener("click", (event) => {
      const tool = event.target.closest("[data-tool]");
      const list = $$("[data-page]").at(-1);
      if (!tool || !list) return;
      event.preventDefault();
      openNew(list, $$(":scope > [data-question]", list).length, tool.dataset.tool);
    });
  }
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-close-question]") || !event.target.closest("#builder-pages")) return;
    event.preventDefault();
    const line = event.target.closest(".survey-line");
    if (line.classList.contains("is-new")) line.remove();
    else {
      line.querySelector(".survey-form").replaceChildren();
      line.querySelector("[data-edit]").focus();
    }
    show();
  });
  // htmx hands attributes on to the lines drawn anew; our policy takes no style attribute, which Sortable leaves behind
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.shouldSwap && event.detail.target.id === "builder-pages") keepOpenForms(event.detail.requestConfig.elt);
    $$("#builder-pages [style]").forEach((one) => one.removeAttribute("style"));
  });
  document.addEventListener("htmx:afterSwap", (event) => event.detail.target.id === "builder-pages" && openAgain());
  document.addEventListener("htmx:afterSettle", (event) => {
    arrange();
    enrich(document);
    clearTimeout(waiting);
    const isList = event.detail.elt.id === "builder-pages";
    const form = event.detail.elt.querySelector?.("[data-question-form]") ?? event.detail.elt.closest?.("[data-question-form]");
    if (isList) offerPages();
    if (form) {
      showPage(form.closest("[data-page]"));
      show(form);
      if (!isList && !form.querySelector(".fault")) form.elements.title?.focus();
    } else show();
  });
  document.addEventListener("htmx:beforeRequest", (event) => { // an open form is not drawn anew over what was typed
    const open = event.target.matches("[data-edit]") && event.target.closest(".survey-line").querySelector("[data-question-form]");
    if (!open) return;
    event.preventDefault();
    open.elements.title?.focus();
  });
  document.addEventListener("input", (event) => {
    const line = event.target.closest(".survey-line.is-new");
    if (line) line.dataset.typed = "yes";
  });
  arrange();
}
enrich(document);
