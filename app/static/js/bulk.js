// Lists with a bulk bar: the box of the header ticks the page, the bar says how many are ticked.
(function () {
  "use strict";

  function boxes() {
    return Array.prototype.slice.call(document.querySelectorAll("input[data-bulk-row]"));
  }

  function say() {
    var rows = boxes();
    var ticked = rows.filter(function (box) {
      return box.checked;
    }).length;
    var place = document.querySelector("[data-bulk-count]");
    if (place) {
      place.textContent = ticked === 1 ? place.dataset.one : ticked ? place.dataset.many.replace("{n}", ticked) : "";
    }
    var all = document.querySelector("input[data-bulk-all]");
    if (all) {
      all.checked = ticked > 0 && ticked === rows.length;
      all.indeterminate = ticked > 0 && ticked < rows.length;
    }
  }

  document.addEventListener("change", function (event) {
    if (event.target.matches("input[data-bulk-all]")) {
      boxes().forEach(function (box) {
        box.checked = event.target.checked;
      });
    }
    if (event.target.matches("input[data-bulk-all], input[data-bulk-row]")) {
      var which = document.getElementById("bulk-which");
      if (which && event.target.checked) {
        which.value = "";
      }
      say();
    }
  });

  window.addEventListener("pageshow", say);

  // A run that works on: its figures come by themselves, and the page once at its end.
  function follow(place) {
    window.setTimeout(function () {
      if (document.hidden) {
        follow(place);
        return;
      }
      window
        .fetch(window.location.href, { credentials: "same-origin" })
        .then(function (answer) {
          if (!answer.ok) {
            throw new Error(answer.status);
          }
          return answer.text();
        })
        .then(function (text) {
          var fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-run]");
          if (!fresh || fresh.dataset.run === "done") {
            window.location.reload();
            return;
          }
          place.replaceChildren.apply(place, Array.prototype.slice.call(fresh.childNodes));
          follow(place);
        })
        .catch(function () {
          follow(place);
        });
    }, 2000);
  }

  var run = document.querySelector("[data-run='open']");
  if (run && window.fetch && window.DOMParser) {
    follow(run);
  }
})();
