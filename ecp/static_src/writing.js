// The writing page: tabs, the preview that follows what is typed, inserting tags, the text made from the HTML.
const form = document.getElementById("write");
const pane = (key) => document.getElementById(`pane-${key}`);
const panes = ["info", "content", "plain", "files", "test"];
let as = "desktop";
let waiting = 0;

function open(key) {
  if (!panes.includes(key)) key = "content";
  panes.forEach((one) => {
    pane(one).hidden = one !== key;
    document.getElementById(`tab-${one}`).setAttribute("aria-selected", String(one === key));
  });
  form.elements.tab.value = key;
}

// The frame is sandboxed and has a policy of its own, so the mail's styles work in it and its scripts do not: it is posted there.
function show() {
  const target = document.getElementById("preview-form");
  target.action = form.dataset.preview;
  target.replaceChildren();
  for (const [name, value] of [...new FormData(form), ["as", as]]) {
    if (typeof value !== "string") continue;
    const field = document.createElement("textarea");
    field.name = name;
    field.value = value;
    target.append(field);
  }
  target.submit();
}

async function tell() {
  const answer = await fetch(form.dataset.facts, { method: "POST", body: new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string")), headers: { "X-CSRF-Token": form.elements.csrf.value } });
  if (!answer.ok) return;
  document.getElementById("facts").outerHTML = await answer.text();
  mark();
}

function mark() {
  const problems = [...document.querySelectorAll("[data-problems] [data-line]")].filter((one) => one.dataset.line !== "0");
  const errors = problems.filter((one) => one.dataset.field === "source").map((one) => ({ line: +one.dataset.line, column: +one.dataset.column, message: one.textContent.trim() }));
  area().editor?.setErrors(errors);
}

const area = () => form.elements[form.elements.source.value];

function later() {
  clearTimeout(waiting);
  waiting = setTimeout(() => { show(); tell(); }, 350);
}

document.querySelectorAll("[data-pane]").forEach((tab) => tab.addEventListener("click", () => open(tab.dataset.pane)));
document.querySelectorAll("[data-show]").forEach((button) => button.addEventListener("click", () => {
  as = button.dataset.show;
  document.querySelectorAll("[data-show]").forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
  document.querySelector("[data-stage]").dataset.stage = as;
  show();
}));
document.querySelectorAll("[data-insert]").forEach((button) => button.addEventListener("click", () => {
  const field = area();
  if (field.editor) field.editor.insert(button.dataset.insert);
  else field.setRangeText(button.dataset.insert);
}));
document.querySelector("[data-generate]")?.addEventListener("click", async () => {
  const body = new URLSearchParams([...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "text"));
  body.append("as", "generated");
  const answer = await fetch(form.dataset.preview, { method: "POST", body, headers: { "X-CSRF-Token": form.elements.csrf.value } });
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (answer.ok) form.elements.text.value = parsed.querySelector("pre")?.textContent ?? "";
  later();
});
form.elements.source.addEventListener("change", () => {
  document.querySelectorAll("[data-source-of]").forEach((one) => { one.hidden = one.dataset.sourceOf !== form.elements.source.value; });
  later();
});
document.getElementById("as-person").addEventListener("change", (event) => {
  form.elements.person.value = event.target.value;
  document.querySelectorAll("[data-person]").forEach((one) => { one.value = event.target.value; });
  later();
});
form.addEventListener("input", later);
open(location.hash.slice(1));
show();
mark();
