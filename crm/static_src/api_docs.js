// The console of the API page: asks for a ten-minute key with the first call, then shows what the API answers.
const form = document.getElementById("console");
const token = () => document.querySelector('meta[name="csrf-token"]').content;
let key = null;

async function freshKey() {
  const answer = await fetch(form.dataset.keys, { method: "POST", headers: { "X-CSRF-Token": token() } });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()).key;
}

function choose(button) {
  form.elements.method.value = button.dataset.method;
  form.elements.path.value = button.dataset.path.replace("{id}", "1");
  form.elements.body.value = button.dataset.body === "yes" ? '{"data": {"attributes": {}}}' : "";
  form.elements.path.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-path]");
  if (button) choose(button);
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const output = document.getElementById("console-answer");
  const status = document.getElementById("console-status");
  try {
    key = key || (await freshKey());
    const method = form.elements.method.value;
    const sent = { method, headers: { Authorization: `Bearer ${key}`, Accept: "application/vnd.api+json" } };
    if (!["GET", "DELETE"].includes(method)) {
      sent.body = form.elements.body.value || "{}";
      sent.headers["Content-Type"] = "application/vnd.api+json";
    }
    const began = performance.now();
    const answer = await fetch(`/api/v1${form.elements.path.value}`, sent);
    const text = await answer.text();
    if (answer.status === 401) key = null;
    status.textContent = `${answer.status} ${answer.statusText} · ${Math.round(performance.now() - began)} ms`;
    output.textContent = text ? JSON.stringify(JSON.parse(text), null, 2) : "";
  } catch (fault) {
    status.textContent = String(fault.message || fault);
    output.textContent = "";
  }
});
