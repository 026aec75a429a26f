/* Suggestions while typing; the box works without them. */
(() => {
  "use strict";
  const box = document.querySelector("input[data-suggest]");
  if (!box || !box.list) return;
  let timer = 0, last = "", asked = null;
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 180);
  });
  async function ask() {
    const text = box.value.trim();
    if (text === last || text.length < 1) return;
    last = text;
    if (asked) asked.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(`${box.dataset.suggest}?q=${encodeURIComponent(text)}`, { signal: asked.signal });
      if (!answer.ok) return;
      const found = (await answer.json()).suggestions;
      box.list.replaceChildren(...found.map((one) => {
        const option = document.createElement("option");
        option.value = one;
        return option;
      }));
    } catch (error) {
      if (error.name !== "AbortError") last = "";
    }
  }
})();
