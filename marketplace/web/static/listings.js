/* Asks the server what the rules say of the terms while they are typed; saving checks the same again. */
(() => {
  "use strict";
  const form = document.getElementById("terms");
  const place = document.getElementById("terms-check");
  if (!form || !place) return;
  let timer = 0;
  let asked = 0;
  async function check() {
    const mine = ++asked;
    try {
      const answer = await fetch(place.dataset.check, { method: "POST", body: new FormData(form) });
      if (answer.ok && mine === asked) place.innerHTML = await answer.text();
    } catch { /* saving still checks */ }
  }
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(check, 400); });
})();
