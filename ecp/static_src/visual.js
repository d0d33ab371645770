// The visual editor of mails, fetched by the writing page when it is first opened. `window.mailVisual.start(root, hooks)` gives
//   open(text)   shows a mail, or throws Unknown ({code, what, line}) when it is to be edited as code
//   text()       the mail as it is now
//   addPicture(src, alt), setSize(bytes), refused(error) → a sentence, rewritten() → the mail with every element written anew
import { definition, fresh, makeCanvas, pieceOf } from "./_mail_canvas.js";
import { drawPanel, el, formatBar } from "./_mail_panel.js";
import { Unknown, read, readPieces, write } from "./_mail_source.js";
import { writeTexts } from "./_mail_text.js";

const CLIPPED_AT = 102 * 1024;
const CONTENT = ["mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer"];

async function start(root, { onChange, askPicture, saveRow }) {
  const $ = (selector) => root.querySelector(selector);
  const kit = JSON.parse(root.dataset.kit);
  const canvas = makeCanvas($("[data-canvas]"), kit.public_base);
  const { editor } = canvas;
  const texts = writeTexts(editor, () => later());
  let frame = { prologue: "", epilogue: "" };
  let history = [];
  let place = -1;
  let isDrawing = false;
  let waiting = 0;
  let picturePart = null;
  await new Promise((done) => editor.onReady(done));
  editor.Canvas.getFrameEl()?.setAttribute("title", kit.words.the_mail);

  const selected = () => editor.getSelected();
  const parts = () => {
    const found = [];
    const walk = (part, depth) => {
      found.push([part, depth]);
      if (!CONTENT.includes(part.get("tagName")) && part.get("tagName") !== "carried") part.components().models.forEach((one) => one.get("tagName") && walk(one, depth + 1));
    };
    if (canvas.root()) walk(canvas.root(), 0);
    return found;
  };

  function text() {
    if (!canvas.root()) return history[place]; // nothing is drawn: what was last known stays
    const piece = withHeld(canvas.root());
    return frame.prologue + write({ ...piece, was: piece.was && { ...piece.was, before: "" } }, 1) + frame.epilogue;
  }
  function withHeld(component) {
    const made = pieceOf(component);
    const held = texts.held(component);
    if (held !== null) made.content = held;
    made.pieces = made.pieces.map((_piece, index) => withHeld(component.components().models.filter((one) => one.get("tagName"))[index]));
    return made;
  }

  function draw(body, head) {
    isDrawing = true;
    clearTimeout(waiting);
    canvas.setHead(head);
    editor.select(null); // what was selected is gone after this
    editor.DomComponents.clear();
    editor.setComponents([definition(body)]);
    editor.getWrapper().set({ droppable: false, selectable: false, hoverable: false });
    canvas.draw();
    isDrawing = false;
    outline();
    panel();
  }

  function open(source) {
    const made = read(source);
    frame = made;
    draw(made.body, made.head);
    const back = text();
    if (back !== source) throw new Unknown("unreadable", "", 1); // never seen, and never to be saved
    history = [source];
    place = 0;
    buttons();
  }

  // A change is remembered as the whole text: going back is opening what was.
  function later() {
    if (isDrawing) return;
    clearTimeout(waiting);
    waiting = setTimeout(settle, 30);
  }
  function settle() {
    clearTimeout(waiting);
    const now = text();
    if (now === history[place]) return;
    history = [...history.slice(Math.max(0, place - 99), place + 1), now];
    place = history.length - 1;
    buttons();
    outline();
    onChange(now);
  }
  async function step(by) {
    await texts.close();
    settle();
    if (history[place + by] === undefined) return;
    const index = parts().findIndex(([part]) => part === selected());
    place += by;
    const made = read(history[place]);
    frame = made;
    draw(made.body, made.head);
    if (index > 0) editor.select(parts()[index]?.[0] || canvas.root());
    buttons();
    onChange(history[place]);
  }
  function buttons() {
    $("[data-do=undo]").disabled = place <= 0;
    $("[data-do=redo]").disabled = place >= history.length - 1;
  }

  function outline() {
    const now = selected();
    const list = $("[data-outline]");
    const hadFocus = list.contains(document.activeElement);
    list.replaceChildren(...parts().map(([part, depth]) => {
      const button = el("button", { type: "button", class: "outline-one", "aria-current": part === now ? "true" : null, onclick: () => deeds.select(part) }, label(part));
      button.style.paddingLeft = `${0.5 + depth * 0.75}rem`;
      return el("li", {}, button);
    }));
    if (hadFocus) (list.querySelector("[aria-current]") || list.querySelector("button"))?.focus();
  }
  function label(part) {
    const name = kit.words.names[part.get("tagName")] || part.get("tagName");
    const words = (part.get("content") || part.get("said")?.alt || "").replace(/<[^>]*>/g, " ").replace(/\s+/g, " ").trim();
    return words ? `${name}: ${words.slice(0, 24)}` : name;
  }
  const format = formatBar(kit, {
    begin: async () => {
      if (texts.isOpen()) return texts.focus();
      const part = selected();
      await part?.view.onActive(new Event("dblclick"));
    },
    run: (command, value) => texts.run(command, value),
  });
  const panel = () => drawPanel($("[data-panel]"), selected(), { kit, set, deeds, format });

  function set(part, name, value) {
    const said = { ...part.get("said") };
    if (value === null || (value === "" && name !== "alt")) delete said[name];
    else said[name] = value;
    part.set("said", said);
    if (name === "src") part.set("src", value);
    part.set("attributes", { ...said });
    later();
  }

  const deeds = {
    show: panel,
    select(part) {
      editor.select(part);
      part.view?.el?.scrollIntoView({ block: "nearest" });
    },
    move(part, by) {
      const siblings = part.collection;
      const at = siblings.indexOf(part) + by;
      if (at < 0 || at >= siblings.length) return;
      editor.select(part.move(part.parent(), { at: by > 0 ? at + 1 : at }));
    },
    copy(part) {
      const piece = read(text()) && pieceOf(part);
      const [made] = part.parent().append([fresh({ ...piece })], { at: part.index() + 1 });
      editor.select(made);
    },
    remove(part) {
      const next = part.collection.at(part.index() + 1) || part.collection.at(part.index() - 1) || part.parent();
      part.remove();
      editor.select(next);
    },
    picture(part) {
      picturePart = part;
      askPicture(part.get("said")?.alt || "");
    },
    async saveRow(part) {
      const made = await saveRow(write({ ...pieceOf(part), was: null }, 0).trim());
      if (!made) return;
      kit.rows.push(made);
      const button = el("button", { class: "block-one wide", type: "button", draggable: "true", "data-row": made.id }, el("span", { class: "truncate" }, made.name));
      $("[data-rows]").append(button);
      $("[data-no-rows]").hidden = true;
      ready(button);
    },
  };

  // What holds for the whole mail stands in its head: the font as an attribute of all parts, the colour of links as a style.
  const WHOLE = {
    font: { seek: /(<mj-all\b[^>]*?\sfont-family=")([^"]*)(")/, inside: "mj-attributes", made: (value) => `<mj-all font-family="${value}" />` },
    "link-color": { seek: /(<mj-style[^>]*>\s*(?:[^<]*?\}\s*)?a\s*\{\s*color:\s*)([^;}\s]+)(\s*[;}])/, inside: "mj-head", made: (value) => `<mj-style>a { color: ${value}; }</mj-style>` },
  };
  deeds.whole = (name) => WHOLE[name].seek.exec(frame.prologue)?.[2] || "";
  deeds.setWhole = (name, value) => {
    if (!/^[\w #%().,'-]+$/.test(value)) return;
    const { seek, inside, made } = WHOLE[name];
    let head = frame.prologue;
    if (seek.test(head)) head = head.replace(seek, (_all, before, _was, after) => before + value + after);
    else {
      if (!/<mj-head[\s>]/.test(head)) head = head.replace(/\s*$/, "\n  <mj-head>\n  </mj-head>$&");
      if (inside === "mj-attributes" && !head.includes("<mj-attributes>")) head = head.replace(/<mj-head[^>]*>/, "$&\n    <mj-attributes>\n    </mj-attributes>");
      head = inside === "mj-head" ? head.replace(/\s*<\/mj-head>/, `\n    ${made(value)}$&`) : head.replace("<mj-attributes>", `$&\n      ${made(value)}`);
    }
    frame = { ...frame, prologue: head };
    redraw();
  };
  // The markup of a text, typed by hand: false when it does not end where it began, or holds what only the code may.
  deeds.setSource = (part, source) => {
    try {
      const [made, ...more] = readPieces(`<mj-text>${source}</mj-text>`);
      if (more.length || made.content !== source) return false;
    } catch {
      return false;
    }
    part.set("content", source);
    redraw();
    return true;
  };
  // Everything is read and drawn anew from its text; the same part stays selected.
  function redraw() {
    const index = parts().findIndex(([part]) => part === selected());
    settle();
    const made = read(history[place]);
    frame = made;
    draw(made.body, made.head);
    if (index >= 0) editor.select(parts()[index]?.[0] || canvas.root());
  }

  // Parts are dragged into the mail, or added after the selected one when they are chosen.
  const sourceOf = (button) => (button.dataset.row ? kit.rows.find((one) => String(one.id) === button.dataset.row) : kit.blocks.find((one) => one.key === button.dataset.block)).mjml;
  // A part of ours takes the font of the mail, where it has one.
  const inFont = (button) => (!button.dataset.row && deeds.whole("font") ? sourceOf(button).replace(/ font-family="[^"]*"/g, "") : sourceOf(button));
  const definitions = (button) => readPieces(inFont(button)).map(fresh);
  function ready(button) {
    button.addEventListener("dragstart", (event) => {
      event.dataTransfer.setData("text/plain", button.textContent.trim());
      event.dataTransfer.effectAllowed = "copy";
      const made = definitions(button);
      const block = editor.Blocks.add(`part-${button.dataset.row || button.dataset.block}`, { label: button.textContent, content: made.length === 1 ? made[0] : made });
      editor.Blocks.startDrag(block, event);
    });
    button.addEventListener("dragend", () => editor.Blocks.endDrag());
    button.addEventListener("click", () => add(definitions(button)));
  }
  root.querySelectorAll("[data-block], [data-row]").forEach(ready);

  function add(made) {
    const body = canvas.root();
    let here = selected();
    const isRow = ["mj-section", "mj-wrapper", "mj-hero"].includes(made[0].tagName);
    if (isRow) {
      while (here && here.parent() !== body) here = here.parent();
      return editor.select(body.append(made, { at: here ? here.index() + 1 : end(body) })[0]);
    }
    if (here && CONTENT.concat("carried").includes(here.get("tagName")) && ["mj-column", "mj-hero"].includes(here.parent().get("tagName"))) return editor.select(here.parent().append(made, { at: here.index() + 1 }).at(-1));
    let column = here && ["mj-column", "mj-hero"].includes(here.get("tagName")) ? here : here?.find?.('[data-gjs-type="mj-column"]')[0] || columnOf(here || body);
    if (!column) {
      body.append([fresh(readPieces("<mj-section><mj-column></mj-column></mj-section>")[0])]);
      column = columnOf(body);
    }
    return editor.select(column.append(made).at(-1));
  }
  // Where a row goes when none is selected: before the footer, which is the row to leave the list by.
  function end(body) {
    const last = body.components().models.at(-1);
    return last && last.get("tagName") !== "carried" && write({ ...pieceOf(last), was: null }, 0).includes("{$links.unsubscribe}") ? last.index() : undefined;
  }
  function columnOf(part) {
    const found = [];
    const walk = (one) => { if (one.get("tagName") === "mj-column") found.push(one); else one.components().forEach(walk); };
    walk(part);
    return found.at(-1);
  }

  editor.on("component:selected component:deselected", () => { if (!isDrawing) { outline(); panel(); } });
  editor.on("component:add component:remove component:update:content component:update:said", later);
  editor.on("rte:disable", later);
  editor.on("component:selected", (part) => { if (texts.isOpen() && part !== editor.getEditing()) texts.close(); });
  editor.on("block:drag:stop", (made) => {
    const part = [made].flat()[0];
    if (!part) return;
    editor.select(part);
    if (part.get("tagName") === "mj-image" && !part.get("said").src) deeds.picture(part);
  });
  editor.on("component:dblclick", (part) => { if (part.get("tagName") === "mj-image") deeds.picture(part); });
  editor.on("rte:enable", () => editor.getSelected() || editor.select(editor.getEditing()));

  const keys = (event) => {
    const isMeta = event.ctrlKey || event.metaKey;
    const part = selected();
    if (isMeta && !event.shiftKey && event.key.toLowerCase() === "z") step(-1);
    else if (isMeta && (event.key.toLowerCase() === "y" || (event.shiftKey && event.key.toLowerCase() === "z"))) step(1);
    else if (event.key === "Escape" && texts.isOpen()) texts.close();
    else if (texts.isOpen() || !part || part === canvas.root()) return;
    else if (event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key)) deeds.move(part, event.key === "ArrowUp" ? -1 : 1);
    else if (event.key === "Delete" || event.key === "Backspace") deeds.remove(part);
    else if (event.key === "Enter" && part.get("editable")) part.view.onActive(event);
    else return;
    event.preventDefault();
  };
  const isTyping = (target) => target.closest?.("input, textarea, select, [contenteditable=true]");
  editor.Canvas.getDocument().addEventListener("keydown", keys);
  $("[data-outline]").addEventListener("keydown", (event) => {
    const buttons = [...root.querySelectorAll(".outline-one")];
    const at = buttons.indexOf(event.target) + ({ ArrowUp: -1, ArrowDown: 1 }[event.key] || 0);
    if (!event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key) && buttons[at]) {
      event.preventDefault();
      buttons[at].click();
      root.querySelectorAll(".outline-one")[at].focus();
    } else if (event.key !== "Enter") keys(event);
  });
  root.addEventListener("keydown", (event) => {
    if (event.defaultPrevented) return; // the structure has taken it
    if (event.key === "Escape" && texts.isOpen()) keys(event);
    if ((event.ctrlKey || event.metaKey) && ["z", "y"].includes(event.key.toLowerCase()) && !isTyping(event.target)) keys(event);
  });
  root.querySelectorAll("[data-device]").forEach((button) => button.addEventListener("click", () => {
    editor.setDevice(button.dataset.device);
    root.querySelectorAll("[data-device]").forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
  }));
  $("[data-do=undo]").addEventListener("click", () => step(-1));
  $("[data-do=redo]").addEventListener("click", () => step(1));
  $("[data-do=dark]").addEventListener("click", (event) => {
    const isDark = event.currentTarget.getAttribute("aria-pressed") !== "true";
    event.currentTarget.setAttribute("aria-pressed", String(isDark));
    canvas.setDark(isDark);
  });

  const made = {
    open,
    text,
    async close() {
      await texts.close();
      settle();
    },
    addPicture(src, alt) {
      if (!picturePart) return;
      set(picturePart, "src", src.replaceAll("&", "&amp;"));
      set(picturePart, "alt", alt.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;"));
      panel();
    },
    setSize(bytes) {
      const meter = $("[data-size]");
      const kilobytes = (bytes / 1024).toFixed(bytes < 10240 ? 1 : 0);
      meter.textContent = bytes ? kit.words.size.replace("{size}", kilobytes) + (bytes > CLIPPED_AT ? ` ${kit.words.clipped}` : "") : "";
      meter.classList.toggle("text-warning", bytes > CLIPPED_AT * 0.9);
    },
    // The mail with every element written anew: what a change of all its parts would give.
    rewritten() {
      const anew = (piece) => ({ ...piece, was: piece.was && { ...piece.was, open: "" }, pieces: piece.pieces.map(anew) });
      const piece = anew(pieceOf(canvas.root()));
      return frame.prologue + write({ ...piece, was: { ...piece.was, before: "" } }, 1) + frame.epilogue;
    },
    refused: (error) => (error instanceof Unknown ? kit.words.refused[error.code].replace("{what}", error.what).replace("{line}", error.line) : null),
    editor,
  };
  window.mailVisual.current = made;
  return made;
}

window.mailVisual = { start };
