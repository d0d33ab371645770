// The keys of the house: an element with data-key="c" is clicked (or focused, when it is a field) by that key.
// data-key="mod+k" is Ctrl K, or Command K on a Mac; such keys work inside fields too, single letters do not.
const isTyping = (target) => target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
const isVisible = (element) => element.getClientRects().length > 0;

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey) return;
  const isModified = event.ctrlKey || event.metaKey;
  if (!isModified && isTyping(event.target)) return;
  const key = (isModified ? "mod+" : "") + event.key.toLowerCase();
  const element = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key && isVisible(one));
  if (!element) return;
  event.preventDefault();
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName)) {
    element.focus();
    element.select?.();
  } else {
    element.click();
  }
});
