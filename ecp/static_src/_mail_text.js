// Writing inside a text or a button: the browser's own editing with a few commands. A text that was only looked at keeps
// the letters it had; one that was changed gives the markup that stands in it.
const clean = (html) => html.replace(/ (?:data-gjs[\w-]*|contenteditable|draggable)="[^"]*"/g, "").replace(/\{[^{}]*\}/g, (tag) => tag.replaceAll("&gt;", ">").replaceAll("&lt;", "<").replaceAll("&amp;", "&").replaceAll("&nbsp;", " "));

export function writeTexts(editor, onTyping) {
  let now = null;
  const frame = () => editor.Canvas.getDocument();
  editor.setCustomRte({
    parseContent: false,
    enable(el, _rte, { view }) {
      now = { el, model: view.model, first: el.innerHTML };
      el.contentEditable = "true";
      el.setAttribute("role", "textbox");
      el.style.pointerEvents = "all";
      el.addEventListener("input", onTyping);
      frame().execCommand("styleWithCSS", false, false);
      frame().execCommand("defaultParagraphSeparator", false, "p");
      el.focus();
      return now;
    },
    disable(el) {
      el.contentEditable = "false";
      el.removeEventListener("input", onTyping);
      now = null;
    },
    getContent(el, held) {
      return !held || el.innerHTML === held.first ? held?.model.get("content") ?? clean(el.innerHTML) : clean(el.innerHTML);
    },
  });
  return {
    isOpen: () => now !== null,
    // The content of a text that is being written, for reading the mail without leaving it.
    held: (component) => (now?.model === component && now.el.innerHTML !== now.first ? clean(now.el.innerHTML) : null),
    run(command, value) {
      if (!now) return;
      frame().execCommand(command, false, value);
      onTyping();
    },
    // Back to the place in the text, from a button or a list outside of it.
    focus() {
      now?.el.ownerDocument.defaultView.focus();
      now?.el.focus();
    },
    async close() {
      await now?.model.view.disableEditing();
    },
  };
}
