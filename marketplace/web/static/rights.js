// Shows how a right's number will be kept as soon as one leaves the field. Without script the same is said on saving.
(() => {
  const box = document.querySelector("[data-check-number]");
  const kind = document.getElementById("kind");
  if (!box || !kind) return;
  const number = box.querySelector("input");
  const answer = box.querySelector("[data-answer]");
  let asked = 0;
  const check = async () => {
    const turn = ++asked;
    answer.textContent = "";
    if (!number.value.trim() || !kind.value) return;
    const address = `${box.dataset.checkNumber}?${new URLSearchParams({ kind: kind.value, number: number.value })}`;
    try {
      const response = await fetch(address, { headers: { Accept: "application/json" } });
      if (!response.ok) return;
      const told = await response.json();
      if (turn === asked) answer.textContent = [told.message, ...told.warnings].join(" ");
    } catch {
      // saving checks the number anyway
    }
  };
  number.addEventListener("change", check);
  kind.addEventListener("change", check);
})();
