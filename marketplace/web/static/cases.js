// Progress of an import: asks twice a second, and loads the page anew when the run is over.
"use strict";
(() => {
  const box = document.getElementById("import-progress");
  if (!box) return;
  const bar = box.querySelector("progress");
  const read = box.querySelector("[data-part=read]");
  const ask = async () => {
    try {
      const answer = await fetch(box.dataset.url, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        const run = await answer.json();
        bar.max = run.rows_total;
        bar.value = run.rows_read;
        read.textContent = run.rows_read;
        if (run.over) {
          location.reload();
          return;
        }
      }
    } catch {
      // the network is away for a moment: ask again
    }
    setTimeout(ask, 700);
  };
  setTimeout(ask, 500);
})();
