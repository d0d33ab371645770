// Before anything is drawn: the theme (light, dark, or as the machine has it), whether the menu is folded, and when a page that could not be
// shown tries again. Loaded in the head, not deferred.
const root = document.documentElement;
const machine = window.matchMedia("(prefers-color-scheme: dark)");
function setTheme() {
  const wanted = root.dataset.theme || "auto";
  root.dataset.bsTheme = wanted === "auto" ? (machine.matches ? "dark" : "light") : wanted;
}
setTheme();
if (root.dataset.again) setTimeout(() => location.reload(), root.dataset.again * 1000);
machine.addEventListener("change", setTheme);
try {
  if (localStorage.getItem("side") === "narrow") root.classList.add("narrow-side");
} catch {
  // storage may be forbidden; the menu is then wide
}
