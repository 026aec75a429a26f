/* The live page of a sale. The page is right without this script; with it, it stays right without reloading.
   Everything shown comes from the server; the server alone decides. */
(() => {
  "use strict";
  const root = document.getElementById("live");
  if (!root) return;
  const say = root.dataset;
  const get = (id) => document.getElementById(id);
  let version = Number(say.version);
  let seq = Number(say.seq);
  let offset = Date.parse(say.now) - Date.now();
  let state = null;
  let endsAt = Date.parse(say.ends);
  let opensAt = Date.parse(say.opens);
  let phase = say.state;

  /* --- words --- */
  const money = (minor) => {
    const text = String(Math.abs(minor)).padStart(3, "0");
    return `${minor < 0 ? "-" : ""}${say.symbol}${text.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",")}.${text.slice(-2)}`;
  };
  const shanghai = (moment, digits = 0) => {
    const text = new Date(Date.parse(moment) + 8 * 3600000).toISOString();
    return text.slice(0, 10) + " " + text.slice(11, digits ? 20 + digits : 19);
  };
  const set = (id, text) => {
    const element = get(id);
    if (element && element.textContent !== text) element.textContent = text;
  };
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name]);
  const who = (code) => (code === say.own ? `${code} ${say.you}` : code);

  /* Spoken news: the newest only, at most one in five seconds. */
  let news = null;
  let spokenAt = 0;
  function speak(text) {
    news = text;
    const wait = Math.max(0, spokenAt + 5000 - Date.now());
    setTimeout(() => {
      if (news === null || Date.now() < spokenAt + 5000) return;
      set("live-news", news);
      spokenAt = Date.now();
      news = null;
    }, wait);
  }

  /* --- the state --- */
  function line(entry) {
    const row = document.createElement("tr");
    row.dataset.seq = entry.seq;
    const cell = (name, text) => {
      const made = document.createElement("td");
      made.textContent = text;
      made.className = name;
      row.append(made);
    };
    const bid = entry.kind === "bid";
    const kind = bid ? (entry.bid_kind === "priority" ? say.priority : say.ordinary) : say["kind" + entry.kind] || entry.kind;
    cell("zl-num", String(entry.seq));
    cell("text-nowrap", entry.code ? who(entry.code) + (entry.rank ? ` · ${fill(say.rank, { n: entry.rank })}` : "") : "—");
    cell(entry.reason ? "zl-reason" : "text-nowrap", kind + (entry.reason ? `${say.colon}${entry.reason}` : ""));
    cell("zl-num text-end", bid ? money(entry.amount_minor) : "—");
    cell("zl-when", shanghai(entry.at, 3));
    cell("zl-when", "");
    const end = document.createElement("span");
    end.textContent = shanghai(entry.ends_at);
    row.lastChild.append(end, entry.extended ? ` ${say.extendedmark}` : "");
    return row;
  }

  function addEntries(entries) {
    const body = get("live-course");
    if (!body) return;
    for (const entry of entries) {
      if (entry.seq <= seq) continue;
      body.prepend(line(entry));
      seq = entry.seq;
    }
    while (body.rows.length > 60) body.deleteRow(-1);
    const empty = get("live-empty");
    if (empty) empty.hidden = body.rows.length > 0;
    get("live-table").hidden = body.rows.length === 0;
  }

  /* A lower version never replaces a higher one. */
  function apply(next) {
    if (next.now) offset = Date.parse(next.now) - Date.now();
    const entries = next.entries || [];
    if (entries.length && next.after_seq > seq) { resync(); return; }
    addEntries(entries);
    if (next.version < version || (state && next.version === version)) return;
    const before = { price: state ? state.price_minor : null, ends: endsAt, known: state !== null || next.version > version };
    version = next.version;
    state = next;
    phase = next.state;
    endsAt = Date.parse(next.ends_at);
    opensAt = Date.parse(next.opens_at);
    root.dataset.version = version;
    set("live-price", money(next.price_minor === null ? next.start_minor : next.price_minor));
    set("live-price-label", next.price_minor === null ? say.startlabel : say.pricelabel);
    set("live-leader", next.leader_code ? who(next.leader_code) : say.nobody);
    set("live-bids", String(next.bids));
    set("live-extensions", String(next.extensions));
    set("live-minimum", money(next.minimum_minor));
    const badge = get("live-state").firstElementChild;
    badge.textContent = say["state" + next.state] || next.state;
    badge.className = `zl-badge zl-${say["tone" + next.state] || "neutral"}`;
    set("live-ends", shanghai(next.ends_at));
    const clock = get("live-countdown");
    if (clock) {
      clock.dataset.now = next.now || new Date(Date.now() + offset).toISOString();
      const paused = phase === "suspended"; /* no end to count to: the remaining time is kept until it resumes */
      const opening = phase === "scheduled" && opensAt > Date.now() + offset;
      clock.dataset.ends = paused ? "" : opening ? next.opens_at : next.ends_at;
      set("live-clock-label", opening ? say.opensin : say.endsin);
      const card = clock.closest(".zl-card");
      card.classList.toggle("zl-edge-live", phase === "running");
      card.classList.toggle("zl-edge-neutral", phase !== "running");
      if (paused) clock.textContent = say.paused;
    }
    const mine = get("live-mine");
    if (mine) {
      mine.hidden = !say.own || !next.leader_code;
      const leading = next.leader_code === say.own;
      mine.textContent = leading ? say.leading : say.outbid;
      mine.className = "zl-badge " + (leading ? "zl-good" : "zl-warn");
    }
    const reason = get("live-reason");
    if (reason) { reason.hidden = !next.state_reason; reason.textContent = next.state_reason || ""; }
    if (before.known && endsAt > before.ends) {
      const text = fill(say.extended, { time: shanghai(next.ends_at) });
      const shown = get("live-extended");
      shown.textContent = text;
      shown.hidden = false;
      speak(`${text} ${fill(say.spoken, { price: money(next.price_minor || next.start_minor), code: who(next.leader_code || "—") })}`);
    } else if (next.price_minor !== null && next.price_minor !== before.price && before.known) {
      speak(fill(say.spoken, { price: money(next.price_minor), code: who(next.leader_code) }));
    }
    priority(next);
    tick();
    if (next.ended) finish();
  }

  /* --- listening --- */
  let source = null;
  let pollTimer = null;
  let heardAt = Date.now();
  let over = say.ended === "1";
  let tag = null;

  const lost = (yes) => { const box = get("live-lost"); if (box) box.hidden = !yes; };
  const heard = () => { heardAt = Date.now(); lost(false); };

  async function resync() {
    try {
      const answer = await fetch(`${say.stateUrl}?after=${seq}`, {
        headers: tag && tag.seq === seq ? { "If-None-Match": tag.value } : {}, credentials: "same-origin",
      });
      if (answer.status === 304) { heard(); return; }
      if (!answer.ok) return;
      tag = { value: answer.headers.get("ETag"), seq };
      heard();
      const next = await answer.json();
      next.after_seq = Math.min(next.after_seq, seq); // what is older than this is on the page with the whole course
      apply(next);
    } catch { /* the notice about old prices appears by itself */ }
  }

  function poll(on) {
    clearInterval(pollTimer);
    pollTimer = null;
    if (on && !over) { resync(); pollTimer = setInterval(resync, 3000); }
  }

  function listen() {
    if (over) return;
    if (!window.EventSource) { poll(true); return; }
    source = new EventSource(`${say.eventsUrl}?version=${version}&seq=${seq}`);
    source.addEventListener("open", () => { heard(); poll(false); });
    source.addEventListener("lot", (event) => { heard(); apply(JSON.parse(event.data)); });
    source.addEventListener("resync", () => { heard(); resync(); });
    source.addEventListener("beat", heard);
    source.addEventListener("end", () => { source.close(); });
    source.addEventListener("error", () => {
      if (!pollTimer) poll(true);
      if (source.readyState === EventSource.CLOSED && !over) setTimeout(listen, 15000); // full, or the server is away
    });
  }

  function finish() {
    if (over) return;
    over = true;
    if (source) source.close();
    poll(false);
    get("live-over").hidden = false;
    speak(say.finished);
    const typing = document.activeElement && /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName) && document.activeElement.value;
    if (!typing) setTimeout(() => location.reload(), 2500);
  }

  /* --- bidding --- */
  const form = get("bid-form");
  const amount = form && form.elements.amount;
  const button = form && form.querySelector("[data-bid]");
  const matching = form && form.querySelector("[data-match]");
  let busy = false;

  const least = () => (state ? state.minimum_minor : Number(form.dataset.minimum));
  const bare = (minor) => money(minor).slice(say.symbol.length);

  function priority(next) {
    if (!matching) return;
    const rank = Number(form.dataset.rank);
    const may = rank > 0 && next.price_minor !== null && next.leader_code !== say.own && (!next.leader_rank || rank < next.leader_rank);
    matching.hidden = !may;
    if (may) matching.querySelector("span").textContent = money(next.price_minor);
  }

  /* The button closes by the server's clock; whether a bid came in time, the server alone decides. */
  function tick() {
    const now = Date.now() + offset;
    if (!over && source && source.readyState === EventSource.OPEN && Date.now() - heardAt > 40000) {
      source.close(); // a dead line that nobody reported
      poll(true);
      listen();
    }
    if (!over && Date.now() - heardAt > 20000 && (pollTimer !== null || !source || source.readyState !== EventSource.OPEN)) lost(true);
    if (!form) return;
    const open = now >= opensAt && now < endsAt && (phase === "running" || phase === "scheduled");
    form.querySelectorAll("[data-bid], [data-match], [data-step]").forEach((b) => { b.disabled = busy || !open; });
    const paused = phase === "suspended"; // the end it had may pass meanwhile, and nothing ends
    set("bid-closed", now >= endsAt && !paused ? say.waiting : "");
    const hint = get("bid-hint"); // why one cannot bid yet, or now
    if (paused) set("bid-hint", say.whyoff);
    else if (hint && hint.textContent === say.whyoff) set("bid-hint", "");
    if (hint) hint.hidden = open || !hint.textContent || (!paused && now >= endsAt);
  }
  setInterval(tick, 500);

  function answer(tone, title, text, link) {
    const box = get("bid-answer");
    box.className = `zl-notice zl-edge-${tone}`;
    box.replaceChildren();
    const add = (name, content) => { const p = document.createElement("p"); p.className = name; p.textContent = content; box.append(p); return p; };
    add("zl-notice-title", title);
    if (text) add("", text);
    if (link) { const a = document.createElement("a"); a.href = link; a.textContent = say.receipt; add("", "").append(a); }
    box.hidden = false;
  }

  async function send(kind, typed) {
    if (busy) return;
    busy = true;
    tick();
    const body = new FormData(form);
    body.set("kind", kind);
    if (kind === "priority") body.set("amount", typed);
    try {
      const reply = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" }, credentials: "same-origin" });
      const known = (reply.headers.get("Content-Type") || "").includes("json");
      const said = known ? await reply.json() : {};
      if (reply.status === 401 || (reply.status === 400 && said.error && said.error.code === "csrf")) {
        form.elements.kind.value = kind; // sign in again; the page brings back what was typed
        form.submit();
        return;
      }
      if (said.next_key) form.elements.idempotency_key.value = said.next_key;
      const confirm = get("bid-confirm");
      if (said.accepted) {
        answer("good", said.message, fill(say.accepted, { amount: money(said.amount_minor), time: shanghai(said.decided_at, 3), seq: said.seq }), said.receipt_url);
        amount.value = "";
        confirm.hidden = true;
        form.elements.confirm_high.checked = false;
      } else {
        const error = said.error || { code: "", message: say.failed };
        answer("bad", error.message, [error.source_text ? `${say.source}${error.source_text}` : "", said.standing && said.standing.price_minor !== null ? fill(say.standing, { price: money(said.standing.price_minor), minimum: money(said.standing.minimum_minor) }) : ""].filter(Boolean).join(" "));
        confirm.hidden = error.code !== "confirm_high";
        if (error.code !== "confirm_high") form.elements.confirm_high.checked = false;
      }
      if (said.standing && said.standing.version > version) resync();
    } catch {
      answer("warn", say.unknown, say.again); // the same key goes again: it can never count twice
    } finally {
      busy = false;
      tick();
    }
  }

  if (form) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const pressed = event.submitter;
      if (pressed && pressed.hasAttribute("data-match")) {
        const price = state ? state.price_minor : Number(form.dataset.price);
        send("priority", bare(price));
      } else {
        send("ordinary");
      }
    });
    form.querySelectorAll("[data-step]").forEach((step) => {
      step.hidden = false;
      step.addEventListener("click", () => {
        amount.value = bare(least() + (Number(step.dataset.step) - 1) * Number(form.dataset.increment));
        amount.focus();
      });
    });
  }

  tick();
  listen();
})();
