// Richer fields, wherever a page or a swapped part of one names them by an attribute; without script they stay ordinary fields.
//   <select data-choose>                     searchable select
//   <select data-choose="/address">          options fetched from there: [{"value", "text"}] for ?q=
//   <ul data-sort>                           rows dragged into order; fires "change" on the list
//   <form data-keep>                         asks before unsaved changes are left
import Sortable from "sortablejs";
import TomSelect from "tom-select";

function choose(select) {
  if (select.tomselect) return;
  const address = select.dataset.choose, words = document.body.dataset;
  const label = select.labels?.[0]?.textContent.trim() || select.getAttribute("aria-label");
  new TomSelect(select, {
    plugins: select.multiple ? { remove_button: { title: words.remove } }
      : select.required || !select.querySelector('option[value=""]') ? {} : { clear_button: { title: words.clear } },
    render: {
      no_results() {
        const said = document.createElement("div");
        said.className = "no-results";
        said.setAttribute("role", "option"); // a list of choices holds nothing else
        said.setAttribute("aria-disabled", "true");
        this.focus_node?.removeAttribute("aria-activedescendant"); // the choice it named is gone
        said.textContent = words.nothing;
        return said;
      },
    },
    maxOptions: 400,
    refreshThrottle: 40,
    ...(address && {
      preload: "focus",
      load(query, done) {
        const url = new URL(address, location.href);
        url.searchParams.set("q", query);
        fetch(url, { headers: { Accept: "application/json" } })
          .then((answer) => (answer.ok ? answer.json() : []))
          .then(done, () => done());
      },
    }),
  });
  select.setAttribute("aria-hidden", "true"); // its place is taken by the box, which has the label
  if (label) select.tomselect.control_input.setAttribute("aria-label", label);
}

function sort(list) {
  if (list.dataset.sorting) return;
  list.dataset.sorting = "yes";
  Sortable.create(list, {
    animation: 120,
    handle: list.querySelector("[data-handle]") ? "[data-handle]" : undefined,
    onEnd: () => list.dispatchEvent(new Event("change", { bubbles: true })),
  });
}

function keep(form) {
  if (form.dataset.keeping) return;
  form.dataset.keeping = "yes";
  let touched = false;
  form.addEventListener("input", () => (touched = true));
  form.addEventListener("submit", () => (touched = false));
  window.addEventListener("beforeunload", (event) => {
    if (touched && form.isConnected) event.preventDefault();
  });
}

function enrich(root) {
  const within = (selector) => [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
  within("select[data-choose]").forEach(choose);
  within("[data-sort]").forEach(sort);
  within("form[data-keep]").forEach(keep);
}

document.addEventListener("DOMContentLoaded", () => enrich(document));
document.addEventListener("htmx:load", (event) => enrich(event.detail.elt));
