// Small aids of our pages: the hint of the CRM field that is chosen, and a question before what cannot be undone.
document.addEventListener("change", ({ target }) => {
  const hint = target.id && document.querySelector(`[data-hint-of="${CSS.escape(target.id)}"]`);
  if (hint) hint.textContent = target.selectedOptions[0]?.dataset.hint || "";
});
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.ask;
  if (question && !window.confirm(question)) event.preventDefault();
});
