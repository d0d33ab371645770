// Answers of the knowledge base appear while the title of a new request is typed; without script a button asks for them.
const title = document.querySelector('input[name="title"]');
const place = document.getElementById("hints");
const button = document.querySelector("[data-looks]");
if (title && place) {
  if (button) button.hidden = true;
  let waiting;
  let asked = title.value;
  title.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      if (title.value === asked) return;
      asked = title.value;
      const answer = await fetch(`/portal/tickets/hints?title=${encodeURIComponent(asked)}`, { credentials: "same-origin" });
      if (!answer.ok || title.value !== asked) return;
      const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("hints");
      place.replaceChildren(...(found ? found.childNodes : []));
    }, 400);
  });
}
