// Lists by keyboard, and counts that stay fresh. Without this file: links, buttons and « Rafraîchir » do the same.
//   j k move from row to row, Enter opens, s « Suivant », / search, f filters, r refresh, ? the keys.
//   [data-counts="URL"]: every 45 s, while the page is seen, the tabs' counts are asked for; rows never move.
(function () {
  "use strict";

  var EVERY = 45000;
  var help = document.getElementById("list-keys");

  function links() {
    return Array.from(document.querySelectorAll("#main td.lead-cell a"));
  }

  function typing(target) {
    return target.closest("input:not([type='checkbox']), select, textarea, dialog, [contenteditable]") !== null;
  }

  function move(step) {
    var rows = links();
    if (!rows.length) {
      return;
    }
    var row = document.activeElement ? document.activeElement.closest("tr") : null;
    var here = rows.findIndex(function (link) {
      return row !== null && row.contains(link);
    });
    var next = here < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, here + step));
    rows[next].focus();
    rows[next].scrollIntoView({ block: "nearest" });
  }

  var ACTS = {
    j: function () {
      move(1);
    },
    k: function () {
      move(-1);
    },
    s: function () {
      var field = document.querySelector("#main input[name='jeton']");
      if (field && field.form) {
        field.form.requestSubmit();
      }
    },
    "/": function () {
      var search = document.querySelector("#main input[type='search']");
      if (search) {
        search.focus();
        search.select();
      }
    },
    f: function () {
      var filters = document.querySelector("details.list-filters");
      if (filters) {
        filters.open = true;
        filters.querySelector(".pop-body select, .pop-body input").focus();
      }
    },
    r: function () {
      var link = document.querySelector("[data-refresh]");
      if (link) {
        link.click();
      }
    },
    "?": function () {
      if (help && help.showModal && !help.open) {
        help.showModal();
      }
    },
  };

  document.addEventListener("keydown", function (event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) {
      return;
    }
    var act = ACTS[event.key.length === 1 ? event.key.toLowerCase() : ""];
    if (act && !(event.repeat && event.key !== "j" && event.key !== "k")) {
      event.preventDefault();
      act();
    }
  });

  if (help) {
    help.querySelector("[data-keys-close]").addEventListener("click", function () {
      help.close();
    });
  }

  var live = document.querySelector("[data-counts]");

  function refresh() {
    if (document.hidden) {
      return;
    }
    window
      .fetch(live.dataset.counts, { credentials: "same-origin", headers: { Accept: "application/json" } })
      .then(function (answer) {
        return answer.ok && !answer.redirected ? answer.json() : null;
      })
      .then(function (found) {
        if (!found) {
          return;
        }
        document.querySelectorAll("nav.tabs a").forEach(function (tab, place) {
          var count = tab.querySelector("b");
          if (!count || found.tabs[place] === undefined || count.textContent === found.tabs[place]) {
            return;
          }
          count.textContent = found.tabs[place];
          if (tab.getAttribute("aria-current")) {
            live.querySelector("[data-counts-changed]").hidden = false;
          }
        });
      })
      .catch(function () {
        // the next time will do
      });
  }

  if (live && window.fetch) {
    window.setInterval(refresh, EVERY);
  }
})();
