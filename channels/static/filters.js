// The filters in the browser: what is chosen stays chosen when the choices are drawn anew, and shows while they are closed.
"use strict";

(() => {
  let fields = () => [];

  function label(field) {
    return field.closest("label").firstChild.textContent.trim();
  }

  function read(field) {
    if (field.type !== "date") return field.value;
    // Half a date reads as none at all; the server has to hear that there is something wrong.
    return field.validity.valid ? field.value : field.value || "?";
  }

  function filters(element) {
    let kept = {};
    fields = () => [...element.querySelectorAll("[data-filter]")];

    function chip(root, field) {
      const button = document.createElement("button");
      const said = field.type === "date" ? root.dataset.day.replace("{day}", read(field)) : field.selectedOptions[0].textContent;
      button.type = "button";
      button.className = "chip";
      button.dataset.act = "remove-filter";
      button.dataset.name = field.dataset.filter;
      button.textContent = said;
      button.setAttribute("aria-label", `${root.dataset.remove}: ${label(field)} ${said}`);
      const item = document.createElement("li");
      item.append(button);
      return item;
    }

    function show() {
      const root = element.querySelector(".filters");
      if (!root) return;
      kept = chosen();
      const chips = fields().filter((field) => read(field)).map((field) => chip(root, field));
      const list = root.querySelector(".chips");
      const same = chips.length === list.children.length && chips.every((each, at) => each.isEqualNode(list.children[at]));
      if (!same) list.replaceChildren(...chips);
      root.querySelector("[data-act=clear-filters]").hidden = chips.length === 0;
    }

    function clear(cleared) {
      for (const field of cleared) field.value = "";
      show();
      element.querySelector("summary").focus();
    }

    element.addEventListener("input", show);
    element.addEventListener("change", show);
    element.addEventListener("click", (event) => {
      const target = event.target.closest("[data-act]");
      if (!target) return;
      if (target.dataset.act === "clear-filters") clear(fields());
      if (target.dataset.act === "remove-filter") {
        clear(fields().filter((field) => field.dataset.filter === target.dataset.name));
      }
    });

    new MutationObserver(() => {
      for (const field of fields()) {
        const value = kept[field.dataset.filter] || "";
        if (read(field) !== value) field.value = value;
      }
      show();
    }).observe(element, { childList: true, subtree: true, characterData: true });
  }

  function chosen() {
    return Object.fromEntries(fields().map((field) => [field.dataset.filter, read(field)]).filter(([, value]) => value));
  }

  window.zhice = { ...window.zhice, filters, chosen };
})();
