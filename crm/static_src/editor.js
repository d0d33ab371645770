// The code editor, loaded only where mails are written: <textarea data-editor="html"> (or "xml" for MJML) becomes a CodeMirror view.
// The textarea stays the field of the form: every change is written back and fires "input" on it. It can be told
//   setErrors([{line, column, message}])  to mark places, and  insert(text)  to put text at the cursor (both on textarea.editor).
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { html } from "@codemirror/lang-html";
import { xml } from "@codemirror/lang-xml";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

const nonce = document.querySelector('meta[name="csp-nonce"]')?.content;

function edit(area) {
  if (area.editor) return;
  const view = new EditorView({
    state: EditorState.create({
      doc: area.value,
      extensions: [
        lineNumbers(), foldGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(), highlightActiveLine(),
        autocompletion(), lintGutter(), syntaxHighlighting(classHighlighter), EditorView.lineWrapping,
        EditorState.readOnly.of(area.readOnly || area.disabled),
        EditorView.contentAttributes.of({ "aria-label": area.labels?.[0]?.textContent.trim() || area.name }),
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, indentWithTab]),
        area.dataset.editor === "xml" ? xml() : html(),
        ...(nonce ? [EditorView.cspNonce.of(nonce)] : []),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          area.value = update.state.doc.toString();
          area.dispatchEvent(new Event("input", { bubbles: true }));
        }),
      ],
    }),
  });
  area.hidden = true;
  area.after(view.dom);
  area.editor = {
    view,
    insert(text) {
      view.dispatch(view.state.replaceSelection(text));
      view.focus();
    },
    setErrors(errors) {
      const marks = errors.map(({ line, column, message }) => {
        const row = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
        const from = Math.min(row.from + Math.max((column || 1) - 1, 0), row.to);
        return { from, to: row.to, severity: "error", message };
      });
      view.dispatch(setDiagnostics(view.state, marks));
    },
  };
}

const editAll = (root) => [...(root.matches?.("textarea[data-editor]") ? [root] : []), ...root.querySelectorAll("textarea[data-editor]")].forEach(edit);
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => editAll(document));
else editAll(document);
document.addEventListener("htmx:load", (event) => editAll(event.detail.elt));
