// Reads an MJML text into pieces and writes it back. Every piece keeps the very letters it was written with, so what was
// not changed comes back unchanged: spaces, comments, the order of attributes. What is not known here is refused with a
// reason ({code, what, line}): such a mail is edited as code only.
const PLACE = "padding padding-top padding-right padding-bottom padding-left css-class mj-class";
const BORDER = "border border-top border-right border-bottom border-left border-radius";
const WORDS = "color font-family font-size font-style font-weight letter-spacing line-height text-decoration text-transform";
const known = (...lists) => new Set(lists.join(" ").split(" "));
const ROW = [PLACE, BORDER, "background-color background-url background-repeat background-size background-position background-position-x background-position-y direction full-width text-align text-padding"];

// Component → its attributes. In `TEXTS` stands HTML; the others hold components.
export const ATTRIBUTES = {
  "mj-body": known("background-color width css-class mj-class"),
  "mj-wrapper": known(...ROW, "gap"),
  "mj-section": known(...ROW),
  "mj-hero": known(PLACE, "background-color background-height background-position background-url background-width border-radius height inner-background-color inner-padding inner-padding-top inner-padding-right inner-padding-bottom inner-padding-left mode vertical-align width"),
  "mj-group": known("background-color direction vertical-align width css-class mj-class"),
  "mj-column": known(PLACE, BORDER, "background-color inner-background-color inner-border inner-border-top inner-border-right inner-border-bottom inner-border-left inner-border-radius direction vertical-align width"),
  "mj-text": known(PLACE, WORDS, "align height container-background-color vertical-align"),
  "mj-button": known(PLACE, BORDER, WORDS, "align background-color container-background-color height href inner-padding name rel target text-align title vertical-align width"),
  "mj-image": known(PLACE, BORDER, "align alt container-background-color fluid-on-mobile font-size height href name rel sizes src srcset target title usemap width max-height"),
  "mj-divider": known(PLACE, "align border-color border-style border-width container-background-color width"),
  "mj-spacer": known(PLACE, "container-background-color height"),
};
const TEXTS = new Set(["mj-text", "mj-button"]);
const EMPTY = new Set(["mj-image", "mj-divider", "mj-spacer"]);
// Carried as they are: they can be moved and taken out here, and are changed in code.
const CARRIED = new Set(["mj-table", "mj-raw", "mj-social", "mj-navbar", "mj-accordion", "mj-carousel"]);
const INSIDE = {
  "mj-body": ["mj-wrapper", "mj-section", "mj-hero"], "mj-wrapper": ["mj-section", "mj-hero"], "mj-section": ["mj-column", "mj-group"],
  "mj-group": ["mj-column"], "mj-column": [...TEXTS, ...EMPTY], "mj-hero": [...TEXTS, ...EMPTY],
};

const OPEN = /<([a-zA-Z][^\s/>]*)((?:\s+[^\s=/>"'<]+(?:\s*=\s*(?:"[^"]*"|'[^']*'))?)*)\s*(\/?)>/y;
const ATTRIBUTE = /\s+([^\s=/>"'<]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'))?/g;
const IF = /\{(if[\s!][^{}]*|\/if)\}/g;
const TAG = /\{[^{}]*\}/g;

export class Unknown extends Error {
  constructor(code, what, line) {
    super(`${code} ${what}`);
    Object.assign(this, { code, what, line });
  }
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  refuse(code, what = "", at = this.at) {
    throw new Unknown(code, what, this.text.slice(0, at).split("\n").length);
  }

  // White space and comments, as they stand.
  trivia() {
    const begin = this.at;
    for (;;) {
      const space = /[ \t\r\n\f]*/y;
      space.lastIndex = this.at;
      space.exec(this.text);
      this.at = space.lastIndex;
      if (!this.text.startsWith("<!--", this.at)) return this.text.slice(begin, this.at);
      const end = this.text.indexOf("-->", this.at + 4);
      if (end < 0) this.refuse("unreadable", "<!--");
      const comment = this.text.slice(this.at, end + 3);
      if (/^<!--\s*\[if|^<!--\s*<!\[endif|<!\[endif\]-->$/i.test(comment)) this.refuse("condition", "<!--[if …]>");
      if (/^<!--(-?>)|--!>/.test(comment)) this.refuse("unreadable", comment.slice(0, 20)); // ends elsewhere for a browser
      this.at = end + 3;
    }
  }

  open() {
    OPEN.lastIndex = this.at;
    const found = OPEN.exec(this.text);
    if (!found) this.refuse("unreadable", this.text.slice(this.at, this.at + 20));
    this.at = OPEN.lastIndex;
    const said = {};
    for (const [, name, double, single] of found[2].matchAll(ATTRIBUTE)) {
      if (name in said || !/^[a-zA-Z][\w:.-]*$/.test(name)) this.refuse("unreadable", name);
      said[name] = double ?? single ?? "";
    }
    return { tag: found[1], open: found[0], said, closed: found[3] === "/" };
  }

  // Up to </tag>: what stands before it, and itself.
  until(tag) {
    const close = new RegExp(`</${tag}[ \\t\\r\\n\\f]*>`, "g");
    close.lastIndex = this.at;
    const found = close.exec(this.text);
    if (!found) this.refuse("unreadable", `<${tag}>`);
    const inside = this.text.slice(this.at, found.index);
    if (new RegExp(`<${tag}[\\s/>]`).test(inside)) this.refuse("unreadable", `<${tag}>`);
    this.at = close.lastIndex;
    return { inside, close: found[0] };
  }

  // The pieces inside `parent`, up to its end; {tail, close} are what ends it.
  pieces(parent) {
    const pieces = [];
    for (;;) {
      const before = this.trivia();
      const begin = this.at;
      const rest = this.text.slice(this.at, this.at + 60);
      const closing = /^<\/([a-zA-Z][^\s>]*)\s*>/.exec(rest);
      if (closing || this.at >= this.text.length) {
        if (closing?.[1] !== parent && parent !== "") this.refuse("unreadable", closing ? closing[0] : `<${parent}>`);
        this.at += closing && parent ? closing[0].length : 0;
        return { pieces, tail: before, close: closing ? closing[0] : "" };
      }
      if (/^\{if[\s!]/.test(rest)) this.skipCondition(parent);
      else if (rest[0] !== "<") this.refuse("text", rest.trim().slice(0, 20));
      else {
        const piece = this.piece(parent);
        if (piece) {
          pieces.push({ ...piece, before });
          continue;
        }
      }
      pieces.push({ tag: "carried", before, source: this.text.slice(begin, this.at), parent });
    }
  }

  // {if …} … {/if} around components is one carried piece; what is inside must be whole.
  skipCondition(parent) {
    const begin = this.at;
    IF.lastIndex = this.at;
    let depth = 0;
    for (let found = IF.exec(this.text); found; found = IF.exec(this.text)) {
      depth += found[1] === "/if" ? -1 : 1;
      if (depth) continue;
      this.at = IF.lastIndex;
      const inner = new Reader(this.text.slice(begin, this.at).replace(TAG, (tag) => (/^\{(if[\s!]|\/if|else)/.test(tag) ? " ".repeat(tag.length) : tag)));
      try {
        inner.pieces(""); // whole, or it is refused
      } catch (error) {
        if (error instanceof Unknown) this.refuse(error.code, error.what, begin);
        throw error;
      }
      if (inner.at < inner.text.length) this.refuse("unreadable", "{if}", begin);
      return;
    }
    this.refuse("unreadable", "{if}", begin);
  }

  // One component; null when it is to be carried as it is.
  piece(parent) {
    const begin = this.at;
    const { tag, open, said, closed } = this.open();
    if (tag === "mj-include") this.refuse("include", "<mj-include>", begin);
    if (CARRIED.has(tag)) {
      if (tag === "mj-raw" && !["mj-column", "mj-hero"].includes(parent)) this.refuse("raw", "<mj-raw>", begin);
      if (!closed && this.until(tag).inside.includes("<!--[if")) this.refuse("condition", "<!--[if …]>", begin);
      return null;
    }
    const names = ATTRIBUTES[tag];
    if (!names || (parent && !INSIDE[parent]?.includes(tag))) this.refuse("component", `<${tag}>`, begin);
    const strange = Object.keys(said).find((name) => !names.has(name));
    if (strange) this.refuse("attribute", `${strange} (<${tag}>)`, begin);
    const made = { tag, open, said, closed };
    if (closed) return { ...made, content: "", pieces: [], tail: "", close: "" };
    if (TEXTS.has(tag)) {
      const { inside, close } = this.until(tag);
      if (/<!--/.test(inside)) this.refuse("condition", "<!-- … -->", begin);
      return { ...made, content: inside, pieces: [], tail: "", close };
    }
    if (EMPTY.has(tag)) {
      const { inside, close } = this.until(tag);
      if (inside.trim()) this.refuse("text", `<${tag}>`, begin);
      return { ...made, content: "", pieces: [], tail: inside, close };
    }
    return { ...made, content: "", ...this.pieces(tag) };
  }
}

// {prologue, body, epilogue, head}: `body` is the piece of mj-body, the rest are the letters around it.
export function read(text) {
  const reader = new Reader(text);
  reader.trivia();
  if (reader.open().tag !== "mjml") reader.refuse("unreadable", "<mjml>", 0);
  reader.trivia();
  let head = "";
  if (/^<mj-head[\s/>]/.test(text.slice(reader.at, reader.at + 10))) {
    head = reader.open().closed ? "" : reader.until("mj-head").inside;
    if (/<mj-include[\s/>]/.test(head)) reader.refuse("include", "<mj-include>");
    if (/<mj-body[\s/>]/.test(head)) reader.refuse("unreadable", "<mj-body>");
    reader.trivia();
  }
  const prologue = text.slice(0, reader.at);
  const body = reader.piece("");
  if (body?.tag !== "mj-body") reader.refuse("unreadable", "<mj-body>");
  const end = reader.at;
  reader.trivia();
  if (!/^<\/mjml\s*>\s*$/.test(text.slice(reader.at))) reader.refuse("unreadable", text.slice(reader.at, reader.at + 20));
  return { prologue, body, epilogue: text.slice(end), head };
}

// The pieces of a fragment such as a block or a saved row.
export function readPieces(text) {
  const reader = new Reader(text.trim());
  const { pieces } = reader.pieces("");
  if (reader.at < reader.text.length) reader.refuse("unreadable", reader.text.slice(reader.at, reader.at + 20));
  return pieces;
}

const quote = (value) => (value.includes('"') ? `'${value}'` : `"${value}"`);
const same = (one, other) => JSON.stringify(Object.entries(one)) === JSON.stringify(Object.entries(other));

// The text of one piece as it is now: `now` is {said, content, pieces}, `was` what was read (none for a new piece).
export function write({ tag, said, content, pieces, was, source }, depth) {
  const indent = `\n${"  ".repeat(depth)}`;
  const before = was?.before ?? indent;
  if (tag === "carried") return before + source;
  const hasInside = pieces.length > 0 || content !== "";
  const isOpenedNow = was?.closed && hasInside;
  let open = was && same(was.said, said) && !isOpenedNow ? was.open : "";
  const isClosed = was ? was.closed && !hasInside : EMPTY.has(tag);
  if (!open) open = `<${tag}${Object.entries(said).map(([name, value]) => ` ${name}=${quote(value)}`).join("")}${isClosed ? " />" : ">"}`;
  if (isClosed) return before + open;
  const inside = pieces.map((piece) => write(piece, depth + 1)).join("");
  const tail = was && !isOpenedNow ? was.tail : pieces.length ? indent : "";
  return `${before}${open}${content}${inside}${tail}${(was && was.close) || `</${tag}>`}`;
}
