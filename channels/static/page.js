// The page's behaviour in the browser: opening evidence, editing, copying, rating, theme. Content comes from the server
// as finished HTML; nothing here makes markup out of text.
"use strict";

(() => {
  const WIDE = matchMedia("(min-width: 1000px)");
  const STILL = matchMedia("(prefers-reduced-motion: reduce)");
  let opener = null;

  const byId = (id) => document.getElementById(id);

  function cookie(name, value) {
    document.cookie = `${name}=${value}; path=/; max-age=31536000; SameSite=Strict`;
  }

  function remembered(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  }

  // evidence

  function select(marker, { focus }) {
    const card = byId(marker.dataset.evidence);
    const panel = byId("evidence");
    if (!card || !panel) return false;
    const body = panel.querySelector(".panel-body");
    const copy = card.cloneNode(true);
    copy.removeAttribute("id");
    body.replaceChildren(copy);
    panel.classList.add("open");
    panel.dataset.shows = marker.dataset.evidence;
    for (const other of document.querySelectorAll(".marker[aria-current]")) other.removeAttribute("aria-current");
    for (const same of document.querySelectorAll(".marker")) {
      if (same.dataset.evidence === marker.dataset.evidence) same.setAttribute("aria-current", "true");
    }
    body.scrollTop = 0;
    const quote = copy.querySelector("mark").getBoundingClientRect();
    const foot = copy.querySelector("footer").getBoundingClientRect();
    const head = copy.querySelector("h3").getBoundingClientRect();
    // The quote with a line below it, but never so far up that its beginning goes under the title.
    body.scrollTop = Math.max(0, Math.min(quote.bottom - foot.top + 14, quote.top - head.bottom - 16));
    if (focus) {
      opener = marker;
      panel.focus({ preventScroll: WIDE.matches });
    }
    return true;
  }

  function closeEvidence() {
    const panel = byId("evidence");
    if (!panel || !panel.classList.contains("open")) return;
    panel.classList.remove("open");
    delete panel.dataset.shows;
    panel.querySelector(".panel-body").replaceChildren();
    for (const marker of document.querySelectorAll(".marker[aria-current]")) marker.removeAttribute("aria-current");
    if (opener && opener.isConnected) opener.focus();
    opener = null;
  }

  // conversation

  function focusQuestion() {
    const field = document.querySelector("#question textarea");
    if (field) field.focus();
  }

  async function copyText(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      field.className = "unseen";
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
  }

  function say(turn, text) {
    const status = turn.querySelector(".thanks");
    if (status) status.textContent = text;
  }

  function edit(turn, open) {
    turn.querySelector(".editing").hidden = !open;
    for (const part of turn.querySelectorAll(".question > .asked, .question > .tools")) part.hidden = open;
    (open ? turn.querySelector(".editing textarea") : turn.querySelector("[data-act=edit]")).focus();
  }

  function conversation(element, trigger) {
    let turns = 0;
    let seen = "";
    let finished = "";

    const actions = {
      ask: (button) => trigger("example_select", { question: button.dataset.question }),
      again: (button, turn) =>
        trigger("edit", { turn: Number(turn.dataset.turn), question: button.dataset.question }),
      edit: (_, turn) => edit(turn, true),
      "cancel-edit": (_, turn) => edit(turn, false),
      copy: async (button, turn) => {
        await copyText(button.dataset.copy);
        say(turn, button.dataset.done);
      },
      good: (button, turn) => {
        trigger("like", { answer: button.dataset.answer, verdict: "good", reason: "" });
        rated(turn, "good");
      },
      bad: (button, turn) => {
        const form = turn.querySelector("form.reason");
        form.hidden = !form.hidden;
        button.setAttribute("aria-expanded", String(!form.hidden));
        if (!form.hidden) form.querySelector("input").focus();
      },
    };

    function rated(turn, verdict) {
      for (const name of ["good", "bad"]) {
        const button = turn.querySelector(`[data-act=${name}]`);
        button.disabled = true;
        button.classList.toggle("chosen", name === verdict);
        if (name === "good") button.setAttribute("aria-pressed", String(verdict === "good"));
      }
      turn.querySelector("form.reason").hidden = true;
      const thanks = turn.querySelector(".thanks");
      thanks.textContent = thanks.dataset.text;
    }

    element.addEventListener("click", (event) => {
      const target = event.target.closest("[data-act]");
      if (!target || target.tagName === "FORM") return;
      const act = target.dataset.act;
      if (act === "cite") {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
        if (select(target, { focus: true })) event.preventDefault();
        return;
      }
      if (actions[act]) actions[act](target, target.closest(".turn"));
    });

    element.addEventListener("submit", (event) => {
      event.preventDefault();
      const form = event.target;
      const turn = form.closest(".turn");
      if (form.dataset.act === "ask-edited") {
        const question = form.querySelector("textarea").value.trim();
        if (question) trigger("edit", { turn: Number(turn.dataset.turn), question });
      } else if (form.dataset.act === "reason") {
        const reason = form.querySelector("input").value;
        trigger("like", { answer: form.dataset.answer, verdict: "bad", reason });
        rated(turn, "bad");
      }
    });

    element.addEventListener("keydown", (event) => {
      const form = event.target.closest("form.editing");
      if (!form || event.isComposing) return;
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        form.requestSubmit();
      } else if (event.key === "Escape") {
        edit(form.closest(".turn"), false);
      }
    });

    // After each step of an answer: bring a new turn into view, and show the first evidence where there is room.
    new MutationObserver(() => {
      const all = element.querySelectorAll(".turn");
      const last = all[all.length - 1];
      const step = last && `${all.length} ${last.dataset.state}`;
      if (step && step !== seen && all.length >= turns) {
        last.scrollIntoView({ block: "start", behavior: STILL.matches ? "auto" : "smooth" });
      }
      seen = step;
      if (all.length < turns || !last) {
        opener = null;
        const shown = byId("evidence") && byId("evidence").dataset.shows;
        if (shown && !byId(shown)) closeEvidence();
      }
      turns = all.length;
      const marker = last && last.dataset.state === "done" && last.querySelector(".said .marker");
      if (marker && marker.dataset.evidence !== finished) {
        finished = marker.dataset.evidence;
        if (WIDE.matches) select(marker, { focus: false });
      }
    }).observe(element, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-state"] });
  }

  // the frame

  function dark(on) {
    document.body.classList.toggle("dark", on);
    document.documentElement.style.colorScheme = on ? "dark" : "light";
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-act]");
    if (!target) return;
    if (target.dataset.act === "close-evidence") closeEvidence();
    if (target.dataset.act === "skip") {
      event.preventDefault();
      focusQuestion();
    }
    if (target.dataset.act === "theme") {
      const on = !document.body.classList.contains("dark");
      dark(on);
      try {
        localStorage.setItem("zhice_theme", on ? "dark" : "light");
      } catch {
        // A browser that keeps nothing starts with the system's theme again.
      }
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) closeEvidence();
  });

  // While an input method composes, Enter chooses a word and must not send the question.
  for (const type of ["keydown", "keypress"]) {
    document.addEventListener(
      type,
      (event) => {
        if (event.key === "Enter" && (event.isComposing || event.keyCode === 229)) event.stopPropagation();
      },
      true,
    );
  }

  // The language that was chosen is remembered at once: the masthead that shows it may be a new element.
  document.addEventListener(
    "click",
    (event) => {
      const masthead = document.querySelector(".masthead");
      if (masthead && event.target.closest("#switch")) {
        cookie("zhice_language", masthead.dataset.language === "zh" ? "en" : "zh");
      }
    },
    true,
  );

  // Gradio builds the page late and anew; what hangs on its elements is put right whenever they change.
  function settle() {
    const masthead = document.querySelector(".masthead");
    if (masthead) {
      const language = masthead.dataset.language;
      document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
      if (document.title !== masthead.dataset.title) document.title = masthead.dataset.title;
      if (masthead.dataset.settled !== language) masthead.dataset.settled = language;
    }
    const theme = remembered("zhice_theme");
    if (theme && document.body.classList.contains("dark") !== (theme === "dark")) dark(theme === "dark");
  }

  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(settle).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["class", "data-language"] });
  });

  window.zhice = { ...window.zhice, conversation };
})();
