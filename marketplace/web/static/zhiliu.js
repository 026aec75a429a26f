/* Small helps on top of pages that work without them. */
(() => {
  "use strict";

  /* Countdowns run on the server's clock: offset = its "now" minus ours when the value arrived. */
  const two = (n) => String(n).padStart(2, "0");
  function draw(element) {
    if (element.dataset.now !== element.zlNow) {
      element.zlNow = element.dataset.now;
      element.zlOffset = Date.parse(element.dataset.now) - Date.now();
    }
    const rest = Math.floor((Date.parse(element.dataset.ends) - Date.now() - element.zlOffset) / 1000);
    if (Number.isNaN(rest)) return;
    if (rest <= 0) {
      element.textContent = element.dataset.over;
      element.removeAttribute("data-soon");
      return;
    }
    const days = Math.floor(rest / 86400);
    const clock = [Math.floor((rest % 86400) / 3600), Math.floor((rest % 3600) / 60), rest % 60].map(two).join(":");
    element.textContent = days ? `${days} ${element.dataset.days} ${clock}` : clock;
    element.toggleAttribute("data-soon", rest < 300);
  }
  const drawAll = () => document.querySelectorAll(".zl-countdown").forEach(draw);
  drawAll();
  setInterval(drawAll, 1000);

  /* Copy buttons appear only where copying works. */
  if (navigator.clipboard) {
    document.querySelectorAll("button[data-copy]").forEach((button) => {
      button.hidden = false;
      const label = button.innerHTML;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(button.dataset.copy);
        button.textContent = button.dataset.done;
        setTimeout(() => { button.innerHTML = label; }, 2000);
      });
    });
  }

  /* A kept form: signing in meanwhile changed the token, so the press takes the one of this moment. */
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.freshToken || event.defaultPrevented) return;
    event.preventDefault();
    if (form.dataset.sent) return;
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 8000);
    try {
      const answer = await fetch(form.dataset.freshToken, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (answer.ok) form.elements.csrf_token.value = (await answer.json()).token;
    } catch { /* with the old token the server asks once more */ }
    form.submit();
  });

  /* One submit a form; the server refuses repeats anyway. A page that comes back from history works again. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    const buttons = form.querySelectorAll("button:not([type=button])");
    setTimeout(() => buttons.forEach((b) => { b.disabled = true; }), 0);
    setTimeout(() => { delete form.dataset.sent; buttons.forEach((b) => { b.disabled = false; }); }, 8000);
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    document.querySelectorAll("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      form.querySelectorAll("button").forEach((b) => { b.disabled = false; });
    });
  });

  /* A form that came back with errors begins at their list. */
  const summary = document.querySelector(".zl-summary");
  if (summary) summary.focus();

  /* The account menu closes on Escape and on a click elsewhere. */
  const me = document.querySelector(".zl-me");
  if (me) {
    document.addEventListener("click", (event) => { if (!me.contains(event.target)) me.open = false; });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && me.open) { me.open = false; me.querySelector("summary").focus(); }
    });
  }

  /* Chosen files: name and size beneath the field. */
  document.querySelectorAll("input[type=file]").forEach((input) => {
    input.addEventListener("change", () => {
      let line = input.parentElement.querySelector(".zl-chosen");
      if (!line) {
        line = document.createElement("div");
        line.className = "form-text zl-chosen";
        input.insertAdjacentElement("afterend", line);
      }
      line.textContent = Array.from(input.files)
        .map((file) => `${file.name} (${(file.size / 1048576).toFixed(2)} MB)`).join("，");
    });
  });
})();
