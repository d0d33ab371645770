// What can be set of the selected part: ordinary form fields, made anew for each selection.
const FIELDS = {
  "mj-body": ["background-color:colour", "width:text", "font:whole-font", "link-color:whole-colour"],
  "mj-wrapper": ["background-color:colour", "padding:text", "border-radius:text"],
  "mj-section": ["background-color:colour", "padding:text", "border-radius:text", "text-align:align"],
  "mj-hero": ["background-color:colour", "background-url:text", "height:text", "padding:text"],
  "mj-group": ["background-color:colour", "width:text"],
  "mj-column": ["background-color:colour", "width:text", "padding:text", "vertical-align:valign", "border-radius:text"],
  "mj-text": ["color:colour", "font-size:text", "line-height:text", "align:align", "font-family:font", "container-background-color:colour", "padding:text"],
  "mj-button": ["href:target", "background-color:colour", "color:colour", "font-size:text", "border-radius:text", "align:align", "inner-padding:text", "padding:text"],
  "mj-image": ["src:picture", "alt:alt", "href:target", "width:text", "align:align", "border-radius:text", "padding:text"],
  "mj-divider": ["border-color:colour", "border-width:text", "padding:text"],
  "mj-spacer": ["height:text"],
};
const ALIGNS = { align: ["left", "center", "right", "justify"], valign: ["top", "middle", "bottom"] };
const decode = (value) => (value ?? "").replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
// Tags ({$…}) are left as they are: they are no markup yet.
const encode = (value) => value.replace(/\{[^{}]*\}|&|<|>|"/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[one] ?? one);

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

let count = 0;
function labelled(label, input, ...more) {
  input.id = `visual-field-${++count}`;
  return el("div", { class: "visual-field" }, el("label", { class: "form-label", for: input.id }, label), input, ...more);
}

function colour(label, value, set, { swatches, words }) {
  const text = el("input", { class: "form-control", value, spellcheck: "false", onchange: () => set(text.value.trim()) });
  const chips = swatches.map((one) => {
    const chip = el("button", { class: "colour-chip", type: "button", "aria-label": `${label}: ${one}`, title: one, onclick: () => { text.value = one; set(one); } });
    chip.style.backgroundColor = one;
    return chip;
  });
  const picker = el("input", { type: "color", class: "colour-own", "aria-label": `${label}: ${words.own_colour}`, value: /^#[0-9a-f]{6}$/i.test(value) ? value : "#ffffff", onchange: () => { text.value = picker.value; set(picker.value); } });
  return labelled(label, text, el("div", { class: "colour-chips" }, ...chips, picker));
}

function select(label, value, choices, set) {
  const known = choices.some(([one]) => one === value);
  const input = el("select", { class: "form-select", onchange: () => set(input.value) }, ...[...(known || !value ? [] : [[value, value]]), ...choices].map(([one, name]) => el("option", { value: one, selected: one === value }, name)));
  return labelled(label, input);
}

// Where a button leads: a survey, an event, a special link, or any address.
function target(label, value, set, kit) {
  const input = el("input", { class: "form-control", value, placeholder: "https://…", spellcheck: "false", onchange: () => set(input.value.trim()) });
  const groups = Object.entries(Object.groupBy(kit.links, (one) => one.group)).map(([group, links]) => el("optgroup", { label: group }, ...links.map((one) => el("option", { value: one.href, selected: one.href === value }, one.label))));
  const chooser = el("select", { class: "form-select", onchange: () => { if (chooser.value) { input.value = chooser.value; set(chooser.value); } } }, el("option", { value: "" }, kit.words.own_address), ...groups);
  return el("div", {}, labelled(label, chooser), labelled(kit.words.address, input));
}

export function drawPanel(panel, part, { kit, set, deeds, format }) {
  const { words } = kit;
  panel.replaceChildren();
  if (!part) return void panel.append(el("p", { class: "quiet" }, words.nothing_selected));
  const tag = part.get("tagName");
  const said = part.get("said") || {};
  const parts = [el("h2", { class: "visual-head" }, words.names[tag] || tag)];
  if (tag === "carried") parts.push(el("p", { class: "hint" }, words.carried), el("pre", { class: "carried-source", tabindex: "0" }, part.get("source").slice(0, 600)));
  else if (["mj-text", "mj-button"].includes(tag)) parts.push(part.get("editable") ? format : el("p", { class: "hint" }, words.code_text));
  for (const field of FIELDS[tag] || []) {
    const [name, kind] = field.split(":");
    const label = words.fields[name] || name;
    if (kind.startsWith("whole")) {
      const now = deeds.whole(name);
      parts.push(kind === "whole-font" ? select(label, now, [["", "–"], ...kit.brand.fonts], (text) => text && deeds.setWhole(name, text)) : colour(label, now, (text) => deeds.setWhole(name, text), { swatches: kit.brand.swatches, words }));
      continue;
    }
    const value = decode(said[name]);
    const put = (text) => set(part, name, encode(text));
    if (kind === "colour") parts.push(colour(label, value, put, { swatches: kit.brand.swatches, words }));
    else if (kind in ALIGNS) parts.push(select(label, value, [["", "–"], ...ALIGNS[kind].map((one) => [one, words.aligns[one]])], put));
    else if (kind === "font") parts.push(select(label, value, [["", "–"], ...kit.brand.fonts], put));
    else if (kind === "target") parts.push(target(label, value, put, kit));
    else if (kind === "picture") parts.push(el("button", { class: "btn btn-plain", type: "button", onclick: () => deeds.picture(part) }, value ? words.change_picture : words.choose_picture));
    else {
      const input = el("input", { class: "form-control", value, "data-field": name, required: kind === "alt", onchange: () => put(input.value.trim()) });
      if (kind === "alt") {
        const hint = el("div", { class: "hint" }, words.alt_hint);
        const isNothing = value === "" && "alt" in said && Boolean(said.src); // said to be decoration: an empty text is written
        const tick = el("input", { type: "checkbox", class: "form-check-input", checked: isNothing, disabled: !said.src, onchange: () => { set(part, "alt", tick.checked ? "" : null); deeds.show(); } });
        input.disabled = isNothing;
        input.setAttribute("aria-invalid", String(!value && !isNothing));
        parts.push(labelled(label, input, hint, el("label", { class: "form-check" }, tick, " ", el("span", { class: "form-check-label" }, words.decoration))));
      } else parts.push(labelled(label, input));
    }
  }
  if (tag === "mj-text") {
    const source = el("textarea", { class: "form-control mono", rows: "6", spellcheck: "false", onchange: () => source.setAttribute("aria-invalid", String(!deeds.setSource(part, source.value))) });
    source.value = part.get("content");
    parts.push(el("details", {}, el("summary", { class: "small" }, "HTML"), labelled(words.own_html, source, el("div", { class: "hint" }, words.own_html_hint))));
  }
  const isRow = ["mj-section", "mj-wrapper"].includes(tag);
  const button = (name, does, more = "") => el("button", { class: `btn btn-plain ${more}`, type: "button", "data-deed": name, onclick: does }, words.deeds[name]);
  if (tag !== "mj-body") {
    parts.push(el("div", { class: "visual-deeds" }, button("up", () => deeds.move(part, -1)), button("down", () => deeds.move(part, 1)), button("copy", () => deeds.copy(part)), isRow && kit.may_save_rows ? button("save_row", () => deeds.saveRow(part)) : null, button("remove", () => deeds.remove(part), "text-danger")));
    const above = part.parent();
    if (above && above.get("tagName") !== "wrapper") parts.push(button("outer", () => deeds.select(above)));
  }
  panel.append(...parts);
}

// Buttons that format the text one is writing in; the tag picker is among them.
export function formatBar(kit, { begin, run }) {
  const { words } = kit;
  const keep = (event) => event.preventDefault(); // the place in the text stays where it is
  const button = (name, command, value) => el("button", { class: "btn btn-plain", type: "button", onmousedown: keep, onclick: async () => { await begin(); run(command, value?.() ?? value); } }, words.formats[name]);
  const link = () => (window.prompt(words.link_ask, "https://") || "").trim();
  // A field with the list of tags below it, narrowed by what is typed; Enter takes the first one.
  const found = el("div", { class: "tags-found", hidden: true });
  const tags = el("input", { class: "form-control", type: "search", autocomplete: "off", placeholder: words.insert_tag, "aria-label": words.insert_tag });
  const put = async (tag) => {
    tags.value = "";
    found.hidden = true;
    await begin();
    run("insertText", `{$${tag}}`);
  };
  const narrow = () => {
    const asked = tags.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = kit.tags.filter(([tag, label]) => asked.every((word) => `${label} {$${tag}}`.toLowerCase().includes(word)));
    found.replaceChildren(...fits.map(([tag, label]) => el("button", { class: "insert-one", type: "button", onmousedown: keep, onclick: () => put(tag) }, el("span", { class: "grow" }, label), el("code", { class: "quiet small truncate" }, `{$${tag}}`))));
    found.hidden = !fits.length;
  };
  tags.addEventListener("focus", narrow);
  tags.addEventListener("input", (event) => { event.stopPropagation(); narrow(); }); // a search, no change of the mail
  tags.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // it would save the mail
    if (event.key === "Enter") found.querySelector("button")?.click();
    if (event.key === "ArrowDown") found.querySelector("button")?.focus();
    if (event.key === "Escape") found.hidden = true;
  });
  const picker = el("div", {}, tags, found);
  picker.addEventListener("focusout", (event) => { if (!picker.contains(event.relatedTarget)) found.hidden = true; });
  const address = () => {
    const said = link();
    return /^(https?:|mailto:|tel:|\{\$)/i.test(said) ? said : said ? `https://${said}` : "";
  };
  // A press here is none beside the text: GrapesJS would end the writing, and the place in the text with it.
  return el("div", { class: "format-bar", role: "group", "aria-label": words.format, onmousedown: (event) => event.stopPropagation() },
    el("button", { class: "btn btn-plain", type: "button", "data-write": true, onclick: begin }, words.write_here),
    el("div", { class: "row-of" }, button("bold", "bold"), button("italic", "italic"), button("link", "createLink", address), button("unlink", "unlink"), button("list", "insertUnorderedList")),
    picker);
}
