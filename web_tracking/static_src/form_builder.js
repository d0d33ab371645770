// The builder of website forms: fields are dragged into order, the preview follows. All of it has a plain button too.
import Sortable from "sortablejs";

const builder = document.querySelector("[data-form-builder]");
const frame = document.querySelector("[data-frame]");
const home = builder?.dataset.formBuilder;

function look() {
  const language = document.querySelector("[data-frame-language]")?.value;
  const variant = document.querySelector("[data-frame-variant]")?.value;
  const said = new URLSearchParams({ ...(language && { language }), ...(variant && { variant }) });
  frame?.contentWindow.location.replace(`${home}/frame?${said}`);
}

function arrange() {
  const list = document.querySelector("[data-form-fields]");
  if (!list || list.dataset.sorting) return;
  list.dataset.sorting = "yes";
  Sortable.create(list, {
    animation: 120, handle: "[data-handle]", draggable: "[data-field]",
    onEnd: (event) => {
      if (event.oldIndex === event.newIndex) return;
      const field = [...list.querySelectorAll("[data-field]")].map((one) => one.dataset.field);
      window.htmx.ajax("POST", `${home}/order`, { target: "#form-fields", swap: "outerHTML", values: { field } });
    },
  });
}

if (builder) {
  let open = [];
  document.addEventListener("change", (event) => event.target.matches("[data-frame-language], [data-frame-variant]") && look());
  document.addEventListener("htmx:beforeSwap", () => {
    open = [...document.querySelectorAll("#form-fields details[open]")].map((one) => one.id);
    for (const one of document.querySelectorAll("#form-fields [style]")) one.removeAttribute("style"); // Sortable's; our policy takes none
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    arrange();
    look();
  });
  arrange();
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const box = document.getElementById(button.dataset.copy);
    box.select();
    try { await navigator.clipboard.writeText(box.value); } catch { document.execCommand("copy"); }
    const said = button.parentElement.querySelector("[data-copied]");
    said.textContent = said.dataset.copied;
  });
}
