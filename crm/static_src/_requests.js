// How htmx asks: with the page's CSRF token, without eval and without styles of its own (the content security policy forbids both).
import htmx from "htmx.org";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0; // pages hold people's data; a copy in the browser's storage would outlive the session
// A form that was refused comes back as 413 or 422 with its errors: show it. Any other error page replaces the whole page.
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "[23]..", swap: true },
  { code: "(409|413|422)", swap: true, error: false },
  { code: "[45]..", swap: true, target: "body", error: true },
];

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token && event.detail.verb !== "get") event.detail.headers["X-CSRF-Token"] = token;
});
