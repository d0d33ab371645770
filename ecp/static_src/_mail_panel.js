// What can be set of the selected part: ordinary form fields, made anew for each selection.
const FIELDS = {
  "mj-body": ["background-color:colour", "width:text"],
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
        input.setAttribute("aria-invalid", String(!value));
        parts.push(labelled(label, input, hint));
      } else parts.push(labelled(label, input));
    }
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
  const tags = el("select", { class: "form-select", "aria-label": words.insert_tag, onchange: async () => {
    const tag = tags.value;
    tags.value = "";
    await begin();
    run("insertText", tag);
  } }, el("option", { value: "" }, words.insert_tag), ...kit.tags.map(([tag, label]) => el("option", { value: `{$${tag}}` }, label)));
  const address = () => {
    const said = link();
    return /^(https?:|mailto:|tel:|\{\$)/i.test(said) ? said : said ? `https://${said}` : "";
  };
  return el("div", { class: "format-bar", role: "group", "aria-label": words.format },
    el("button", { class: "btn btn-plain", type: "button", "data-write": true, onclick: begin }, words.write_here),
    el("div", { class: "row-of" }, button("bold", "bold"), button("italic", "italic"), button("link", "createLink", address), button("unlink", "unlink"), button("list", "insertUnorderedList")),
    tags);
}
