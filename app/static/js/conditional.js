// Fields that belong to an answer: data-shows-when="name=value", "name=a|b", "name!=value" or "name" (ticked).
// Hidden fields keep what was typed and are still sent; the server alone decides what it reads.
(function () {
  "use strict";

  function values(scope, name) {
    var found = [];
    scope.querySelectorAll("[name='" + CSS.escape(name) + "']").forEach(function (input) {
      if (input.type === "radio" || input.type === "checkbox") {
        if (input.checked) {
          found.push(input.value);
        }
      } else {
        found.push(input.value);
      }
    });
    return found;
  }

  function holds(rule, scope) {
    var parts = /^([^=!]+)(!?=)?(.*)$/.exec(rule);
    var given = values(scope, parts[1].trim());
    if (!parts[2]) {
      return given.length > 0;
    }
    var wanted = parts[3].split("|");
    var match = given.some(function (value) {
      return wanted.indexOf(value) !== -1;
    });
    return parts[2] === "=" ? match : !match;
  }

  function refresh() {
    document.querySelectorAll("[data-shows-when]").forEach(function (block) {
      block.hidden = !holds(block.dataset.showsWhen, block.closest("form") || document);
    });
  }

  document.addEventListener("change", function (event) {
    if (event.target.name) {
      refresh();
    }
  });
  document.addEventListener("ecert:load", refresh);
  window.addEventListener("pageshow", refresh);
  refresh();
})();
