// The documents in the browser: what can be done to each, signing in, and the form that corrects what is known of one.
"use strict";

(() => {
  function documents(element, trigger) {
    element.addEventListener("click", async (event) => {
      const button = event.target.closest("button[data-act]");
      if (!button) return;
      const act = button.dataset.act;
      if (act === "read-again") trigger("retry", { document: button.dataset.document });
      if (act === "correct") trigger("expand", { document: button.dataset.document });
      if (act === "remove") trigger("delete", { document: button.dataset.document });
      if (act === "sign-out") {
        await fetch("/admin/sign-out", { method: "POST" });
        trigger("apply", {});
      }
    });

    element.addEventListener("submit", async (event) => {
      event.preventDefault();
      const form = event.target;
      const problem = form.querySelector(".problem");
      problem.textContent = "";
      const response = await fetch("/admin/sign-in", { method: "POST", body: new URLSearchParams(new FormData(form)) });
      form.reset();
      if (response.ok) {
        trigger("apply", {});
      } else {
        const said = await response.json().catch(() => ({}));
        problem.textContent = said.message || `HTTP ${response.status}`;
        form.querySelector("input").focus();
      }
    });
  }

  // The form comes from the server as a closed dialog, anew whenever something in it is wrong.
  function correction(element, trigger) {
    let shown = "";
    let corrected = "";

    function close() {
      const dialog = element.querySelector("dialog");
      if (dialog && dialog.open) dialog.close();
    }

    function compare(field) {
      const was = field.querySelector(".was");
      const changed = field.querySelector("input, select").value.trim() !== was.dataset.read;
      was.hidden = !changed;
      field.classList.toggle("corrected", changed);
    }

    element.addEventListener("input", (event) => compare(event.target.closest(".field")));

    element.addEventListener("click", (event) => {
      // A click on the dialog itself is one outside the form that fills it.
      if (event.target.tagName === "DIALOG") return close();
      const act = event.target.dataset.act;
      if (act === "cancel-correction") close();
      if (act === "set-back") {
        const field = event.target.closest(".field");
        const input = field.querySelector("input, select");
        input.value = field.querySelector(".was").dataset.read;
        compare(field);
        input.focus();
      }
    });

    element.addEventListener("submit", (event) => {
      event.preventDefault();
      const form = event.target;
      corrected = form.dataset.document;
      trigger("submit", { document: corrected, fields: Object.fromEntries(new FormData(form)) });
    });

    new MutationObserver(() => {
      const dialog = element.querySelector("dialog");
      if (dialog && dialog.dataset.key !== shown) {
        shown = dialog.dataset.key;
        // What was typed before stays in fields that are drawn alike, unless they are set back.
        dialog.querySelector("form").reset();
        for (const field of dialog.querySelectorAll(".field")) compare(field);
        if (dialog.open) dialog.close();
        dialog.showModal();
        (dialog.querySelector("[aria-invalid]") || dialog.querySelector("input")).focus();
      } else if (!dialog && corrected) {
        const opener = document.querySelector(`[data-act=correct][data-document="${CSS.escape(corrected)}"]`);
        corrected = "";
        // The list is drawn anew in the same step.
        setTimeout(() => {
          const button = opener && opener.isConnected ? opener : document.querySelector("#documents [data-act=correct]");
          if (button) button.focus();
        }, 50);
      }
    }).observe(element, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-key"] });
  }

  window.zhice = { ...window.zhice, documents, correction };
})();
