// A website form in a page of another site: <script async src="…/form/KEY.js"></script> where it is to stand. Sets no cookie,
// asks only the house it came from, brings no style that a Content-Security-Policy would refuse.
(() => {
  const mine = document.currentScript;
  if (!mine) return;
  const address = mine.src.replace(/\.js(\?.*)?$/, "");
  const wanted = mine.dataset.lang || (document.documentElement.lang || "").slice(0, 2);
  const [OPEN, TROUBLE] = wanted === "fi"
    ? ["Avaa lomake", "Lähetys ei onnistunut. Yritä hetken päästä uudelleen."]
    : ["Open the form", "This could not be sent. Please try again in a minute."];
  const SHEET = `
    :where(.crm-form) { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; max-width: 36rem; text-align: left; }
    :where(.crm-form h2, .crm-form p, .crm-form fieldset) { margin: 0; }
    :where(.crm-form fieldset) { border: 0; padding: 0; min-width: 0; }
    :where(.crm-field) { display: grid; grid-template-columns: minmax(0, 1fr); gap: .25rem; }
    :where(.crm-form input[type="file"]) { max-width: 100%; }
    :where(.crm-said a) { display: inline-block; vertical-align: top; min-height: 1.75rem; }
    :where(.crm-field label, .crm-field legend) { font-weight: 600; }
    :where(.crm-field .crm-choice) { display: flex; gap: .6rem; font-weight: 400; align-items: flex-start; }
    :where(.crm-form input:not([type="checkbox"]):not([type="file"]), .crm-form select, .crm-form textarea) { font: inherit; width: 100%; box-sizing: border-box; padding: .55rem .7rem; min-height: 2.75rem; border: 1px solid #5b6675; border-radius: .4rem; }
    :where(.crm-form [aria-invalid="true"]) { border-color: #a11; }
    :where(.crm-wrong, .crm-must) { color: #a11; }
    :where(.crm-hint) { font-size: .9em; opacity: .8; }
    :where(.crm-lines) { white-space: pre-line; }
    :where(.crm-said) { border-left: 4px solid #a11; padding: .5rem .75rem; }
    :where(.crm-form button) { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .55rem 1.2rem; cursor: pointer; }
    .crm-trap { position: absolute; left: -999rem; width: 1px; height: 1px; overflow: hidden; }`;
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(SHEET);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  } catch { /* an old browser: the form looks plain */ }

  const box = document.createElement("div");
  const named = mine.dataset.into && document.querySelector(mine.dataset.into);
  if (named) named.append(box);
  else if (mine.parentElement === document.head) addEventListener("DOMContentLoaded", () => document.body.append(box));
  else mine.after(box);

  const visitor = () => (/(?:^|; )crm_visitor=([A-Za-z0-9_-]{22})(?:;|$)/.exec(document.cookie) || [])[1];

  function show(html, focus) {
    const drawn = new DOMParser().parseFromString(html, "text/html").body;
    box.replaceChildren(...drawn.childNodes);
    box.querySelector("form")?.addEventListener("submit", send);
    if (focus) box.querySelector("[role=alert], [role=status]")?.focus();
  }

  function say(text) {
    const form = box.querySelector("form");
    const said = document.createElement("p");
    said.className = "crm-said";
    said.setAttribute("role", "alert");
    said.textContent = text;
    box.querySelector(".crm-said")?.remove();
    form ? form.prepend(said) : box.replaceChildren(said);
  }

  async function send(event) {
    event.preventDefault();
    const form = event.target, button = form.querySelector("button");
    if (button.disabled) return;
    const said = new FormData(form);
    said.set("form_page", location.href);
    said.set("form_from", document.referrer);
    if (visitor()) said.set("form_visitor", visitor());
    button.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: said, credentials: "omit", headers: { Accept: "application/json" } });
      const isOurs = (answer.headers.get("Content-Type") || "").startsWith("application/json");
      const found = isOurs ? await answer.json() : {};
      if (found.redirect) location.assign(found.redirect);
      else if (found.html) show(found.html, true);
      else say(found.message || TROUBLE);
      if (found.html && answer.ok) box.dispatchEvent(new CustomEvent("crm-form-sent", { bubbles: true }));
    } catch {
      form.removeEventListener("submit", send);
      for (const [name, value] of said) if (/^form_(page|from|visitor)$/.test(name)) {
        const held = form.elements[name] || form.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name }));
        held.value = value;
      }
      form.submit(); // the way that works without scripts: our own page answers
      return;
    }
    button.disabled = false;
  }

  async function draw() {
    try {
      const language = /^[a-z]{2}$/.test(wanted) ? `?lang=${wanted}` : "";
      const answer = await fetch(`${address}.json${language}`, { credentials: "omit", headers: { Accept: "application/json" } });
      const found = await answer.json();
      if (found.html) return show(found.html, false);
      if (answer.status === 410) return box.remove();
    } catch { /* a policy of the site, or no network: the way to our page is left */ }
    const link = document.createElement("a");
    link.href = address;
    link.textContent = OPEN;
    box.replaceChildren(link);
  }
  draw();
})();
