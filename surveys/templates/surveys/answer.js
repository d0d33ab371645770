(() => {
  // Comfort only: the server asks all of this again. Conditions are spelled as in surveys/logic.py.
  let form; // asked anew each time: the builder's frame draws it again while a question is written
  const fold = (text) => String(text).normalize("NFKC").toLowerCase();
  const number = (text) => { const said = String(text).replace(/[\s\u00a0]/g, "").replace(",", "."); return said !== "" && !isNaN(said) ? Number(said) : null; };
  const answer = (name) => {
    const fields = [...form.elements].filter((one) => one.name === "q." + name && !one.matches(":disabled"));
    const values = fields.filter((one) => !/^(radio|checkbox)$/.test(one.type) || one.checked).map((one) => one.value).filter((one) => one !== "");
    return values;
  };
  const compare = (given, value) => {
    const left = number(given), right = number(value);
    return left !== null && right !== null ? Math.sign(left - right) : String(given) > String(value) ? 1 : String(given) < String(value) ? -1 : 0;
  };
  const same = (given, value) => fold(given) === fold(value) || (number(given) !== null && number(given) === number(value));
  const tests = {
    $eq: (all, value) => all.some((one) => same(one, value)),
    $gt: (all, value) => compare(all[0], value) > 0, $gte: (all, value) => compare(all[0], value) >= 0,
    $lt: (all, value) => compare(all[0], value) < 0, $lte: (all, value) => compare(all[0], value) <= 0,
    $cts: (all, value) => all.length > 1 ? all.some((one) => same(one, value)) : fold(all[0]).includes(fold(value)),
    $in: (all, value) => value.some((each) => all.some((one) => same(one, each))),
    "$not.null": () => true,
  };
  const opposites = { $ne: "$eq", $nin: "$in", "$not.cts": "$cts", "$is.null": "$not.null" };
  const holds = (condition) => {
    let [[word, inner]] = Object.entries(condition);
    if (word === "$and") return inner.every(holds);
    if (word === "$or") return inner.some(holds);
    if (!word.startsWith("$")) [word, inner] = ["$eq", [word, inner]];
    const [name, value] = Array.isArray(inner) ? inner : [inner];
    const given = answer(name);
    if (opposites[word]) return !given.length || !tests[opposites[word]](given, value);
    return given.length > 0 && tests[word](given, value);
  };
  const look = () => {
    form = document.querySelector("[data-survey]");
    for (const one of form?.querySelectorAll("[data-when], [data-open-when]") ?? []) {
      if (one.dataset.when) one.hidden = !holds(JSON.parse(one.dataset.when));
      const open = !one.dataset.openWhen || holds(JSON.parse(one.dataset.openWhen));
      if (one.tagName === "FIELDSET") one.disabled = one.hidden || !open;
    }
  };
  document.addEventListener("input", look);
  document.addEventListener("change", look);
  look();
})();
