// Small comforts every page has: the error summary takes the focus, small menus close by themselves.
(function () {
  "use strict";

  function start() {
    var summary = document.querySelector("[data-summary]");
    if (summary) {
      summary.focus();
    }
    // On a phone the tabs roll: the one that is open is in sight.
    document.querySelectorAll(".tabs [aria-current='page']").forEach(function (tab) {
      var roll = tab.parentElement.getBoundingClientRect();
      var place = tab.getBoundingClientRect();
      if (place.left < roll.left || place.right > roll.right) {
        tab.parentElement.scrollLeft += place.left - roll.left - 16;
      }
    });
  }

  // A link of the error summary puts the cursor in the field, opening what hides it.
  document.addEventListener("click", function (event) {
    var link = event.target.closest("[data-summary] a[href^='#']");
    if (!link) {
      return;
    }
    var field = document.getElementById(link.getAttribute("href").slice(1));
    if (!field) {
      return;
    }
    event.preventDefault();
    var folded = field.closest("details:not([open])");
    if (folded) {
      folded.open = true;
    }
    var target = field.matches("fieldset") ? field.querySelector("input") || field : field;
    var block = field.closest(".field") || field;
    block.scrollIntoView({ block: "start" });
    target.focus({ preventScroll: true });
  });

  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.pop[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) {
        menu.open = false;
      }
    });
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") {
      return;
    }
    var menu = event.target.closest && event.target.closest("details.pop[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  document.addEventListener("ecert:load", start);
  start();
})();
