// The drawing side of the visual editor: GrapesJS with the components of MJML, told to take our pieces instead of parsing
// markup itself (its own reading and writing would change what was written), and to leave other hosts alone.
import grapesjs from "grapesjs";
import * as mjml from "grapesjs-mjml";
import { ATTRIBUTES } from "./_mail_source.js";

const plugin = mjml.default?.default || mjml.default || mjml;
const CONTAINERS = new Set(["mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-hero"]);
const DRAGGED_INTO = {
  "mj-wrapper": ["mj-body"], "mj-section": ["mj-body", "mj-wrapper"], "mj-hero": ["mj-body", "mj-wrapper"], "mj-group": ["mj-section"],
  "mj-column": ["mj-section", "mj-group"],
};
const query = (tags) => tags.map((tag) => `[data-gjs-type="${tag}"]`).join(", ");
// Room above the first and below the last row, to drop another one there.
const ROOM = '[data-gjs-type="mj-body"]{padding:16px 0 40px!important}';
const NO_PICTURE = "data:image/svg+xml," + encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" width="560" height="240" viewBox="0 0 560 240"><path fill="#e4e7eb" d="M0 0h560v240H0z"/><path fill="#9aa5b1" d="m200 170 50-60 40 45 30-35 50 50z"/><circle cx="340" cy="85" r="16" fill="#9aa5b1"/></svg>');

// What GrapesJS is to make of a piece that was read.
export function definition(piece) {
  if (piece.tag === "carried") return { type: "mail-carried", tagName: "carried", was: piece, source: piece.source, within: piece.parent, draggable: piece.parent ? query([piece.parent]) : query(["mj-body"]) };
  return {
    type: piece.tag, tagName: piece.tag, was: piece.open === undefined ? null : piece, said: piece.said, attributes: { ...piece.said },
    content: piece.content, editable: isEditable(piece), ...(piece.tag === "mj-image" ? { src: piece.said.src || "" } : {}), components: piece.pieces.map(definition),
  };
}

// A new piece: the same without the letters it was read from.
export const fresh = (piece) => ({ ...definition({ ...piece, open: undefined, pieces: [] }), was: piece.tag === "carried" ? { before: "\n" } : null, components: (piece.pieces || []).map(fresh) });

// The piece that a component stands for now.
export function pieceOf(component) {
  const tag = component.get("tagName");
  return {
    tag, said: component.get("said"), was: component.get("was"), source: component.get("source"),
    content: CONTAINERS.has(tag) ? "" : component.get("content") || "",
    pieces: CONTAINERS.has(tag) ? component.components().models.filter((one) => one.get("tagName") === "carried" || ATTRIBUTES[one.get("tagName")]).map(pieceOf) : [],
  };
}

// Whether a browser gives the markup of a text back as it was: tables with tags between their rows, for example, it does not.
function isEditable({ tag, content }) {
  if (tag !== "mj-text" && tag !== "mj-button") return false;
  const sketch = (text) => text.match(/<\/?[a-zA-Z][^\s/>]*|\{[^{}]*\}/g)?.join(" ").toLowerCase() || "";
  const box = document.implementation.createHTMLDocument("").body;
  box.innerHTML = content;
  return sketch(box.innerHTML.replaceAll("&gt;", ">").replaceAll("&lt;", "<").replaceAll("&amp;", "&").replaceAll("&quot;", '"')) === sketch(content.replaceAll("&gt;", ">").replaceAll("&lt;", "<").replaceAll("&amp;", "&").replaceAll("&quot;", '"'));
}

// Pictures of other hosts stay away from the canvas (the preview beside it shows them); ours are asked from where we are.
function local(html, base) {
  return html
    .replaceAll(`${base}/i/`, "/i/")
    .replace(/\b(src|background)="(?!\/i\/|data:)[^"]*"/g, (_all, name) => `${name}="${NO_PICTURE}"`)
    .replace(/<img(?![^>]*\ssrc=)/g, `<img src="${NO_PICTURE}"`)
    .replace(/url\((?!['"]?(?:\/i\/|data:))[^)]*\)/g, "none");
}

// GrapesJS takes the outer 15 px of every part for what is around it. In a mail it would refuse a part where people drop it: below
// the last one of a column, above the first row. Here a part that takes another takes it up to its very edge.
function dropToTheEdge(tools) {
  const Sorter = tools.ComponentSorter;
  tools.ComponentSorter = class extends Sorter {
    constructor(options) {
      const Node = options.treeClass;
      super({ ...options, treeClass: class extends Node {
        constructor(...said) {
          super(...said);
          this._dropAreaConfig = { ratio: 1, minUndroppableDimension: 0, maxUndroppableDimension: 0 };
        }
      } });
    }
  };
}

export function makeCanvas(container, base) {
  const state = { head: "", styles: new Set(), dark: false };
  let compile = null;

  const kinds = (editor, { opt }) => {
    const parse = opt.mjmlParser;
    compile = (text, options = {}) => {
      try {
        const made = parse(text.replace("<mjml>", `<mjml><mj-head><mj-attributes>${state.attributes || ""}</mj-attributes></mj-head>`), { ...options, validationLevel: "skip", fonts: {} });
        return { ...made, html: local(made.html, base) };
      } catch {
        return { html: "<html><body><div></div></body></html>", errors: [] };
      }
    };
    opt.mjmlParser = compile;
    for (const type of Object.keys(ATTRIBUTES)) {
      const model = { defaults: { "style-default": {}, resizable: false, traits: [], stylable: [], toolbar: [] } };
      if (CONTAINERS.has(type)) model.defaults.droppable = true;
      model.defaults.draggable = type === "mj-body" ? false : query(DRAGGED_INTO[type] || ["mj-column", "mj-hero"]);
      if (!CONTAINERS.has(type)) model.defaults.droppable = false;
      const views = { "mj-column": { render: renderColumn }, "mj-group": { getTemplateFromMjml: () => '<div style="font-size:0;text-align:left"></div>' } };
      editor.Components.addType(type, { model, view: views[type] || {} });
    }
    editor.Components.addType("mail-carried", { model: { defaults: { droppable: false, editable: false, traits: [], toolbar: [] } }, view: { render: renderCarried } });
  };

  function renderColumn() {
    this.renderAttributes();
    const made = this.getTemplateFromMjml();
    this.el.innerHTML = made.content;
    this.$el.attr(made.attributes);
    state.styles.add(made.style);
    this.getChildrenContainer().innerHTML = "";
    this.renderChildren();
    this.renderStyle();
    const above = this.model.parent();
    if (above?.get("tagName") === "mj-group") { // side by side on phones too
      const width = this.model.get("said").width || "";
      this.el.style.width = width.endsWith("%") ? width : `${100 / above.components().length}%`;
      this.el.style.display = "inline-block";
    }
    this.updateStatus();
    this.postRender();
    drawStyles();
    return this;
  }

  function renderCarried() {
    const { source, within } = this.model.attributes;
    const row = '<mj-section padding="0" background-color="transparent">';
    const column = [`${row}<mj-column padding="0" background-color="transparent">`, "</mj-column></mj-section>"];
    const around = { "mj-column": column, "mj-hero": column, "mj-section": [row, "</mj-section>"], "mj-group": [`${row}<mj-group>`, "</mj-group></mj-section>"] }[within] || ["", ""];
    const plain = source.replace(/\{(if[\s!][^{}]*|else\s?if\s[^{}]*|else|\/if)\}/g, "");
    const { html } = compile(`<mjml><mj-body>${around[0]}${plain}${around[1]}</mj-body></mjml>`);
    this.renderAttributes();
    this.el.innerHTML = new DOMParser().parseFromString(html, "text/html").body.innerHTML;
    this.el.style.cssText = "pointer-events:all;display:block;width:100%";
    for (const child of this.el.children) child.style.pointerEvents = "none";
    this.postRender();
    return this;
  }

  // The styles of the mail's head, as they hold in the light or in the dark.
  function drawStyles() {
    const frame = editor.Canvas.getDocument();
    if (!frame?.head) return;
    let sheet = frame.getElementById("mail-styles");
    if (!sheet) {
      sheet = frame.createElement("style");
      sheet.id = "mail-styles";
      frame.head.append(sheet);
    }
    const own = [...state.head.matchAll(/<mj-style[^>]*>([\s\S]*?)<\/mj-style>/g)].map((found) => found[1]).join("\n");
    const scheme = (css) => css.replace(/\(\s*prefers-color-scheme\s*:\s*dark\s*\)/g, state.dark ? "(min-width:0)" : "(max-width:0)").replace(/\(\s*prefers-color-scheme\s*:\s*light\s*\)/g, state.dark ? "(max-width:0)" : "(min-width:0)");
    const css = ROOM + local(scheme([...state.styles, own].join("\n").replace(/@import[^;]*;?/g, "")), base);
    if (sheet.textContent !== css) sheet.textContent = css;
  }

  const editor = grapesjs.init({
    container, height: "100%", width: "auto", telemetry: false, cssIcons: "", storageManager: false, fromElement: false, noticeOnUnload: false,
    assetManager: { upload: false, custom: { open() {}, close() {} } }, panels: { defaults: [] }, showToolbar: false, keymaps: { defaults: {} },
    undoManager: { maximumStackLength: 1 }, log: false,
    canvas: { styles: [], scripts: [] }, deviceManager: { default: "desktop", devices: [{ id: "desktop", name: "desktop", width: "" }, { id: "phone", name: "phone", width: "375px", widthMedia: "" }] },
    plugins: [(one) => plugin(one, { fonts: {}, useXmlParser: true, imagePlaceholderSrc: NO_PICTURE, blocks: [], resetDevices: false, resetBlocks: false, useCustomTheme: false, columnsPadding: "", customComponents: [kinds] })],
  });

  dropToTheEdge(editor.getModel().Utils);
  return {
    editor,
    setHead(head) {
      state.head = head;
      state.attributes = [...head.matchAll(/<mj-attributes[^>]*>([\s\S]*?)<\/mj-attributes>/g)].map((found) => found[1]).join("\n");
      state.styles.clear();
      drawStyles();
    },
    setDark(isDark) {
      state.dark = isDark;
      drawStyles();
    },
    root: () => editor.getWrapper().components().models.find((one) => one.get("tagName") === "mj-body"),
    draw: drawStyles,
  };
}
