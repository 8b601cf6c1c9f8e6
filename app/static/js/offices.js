// Post offices that follow the gouvernorat chosen and the words typed; without script the button does it.
//   [data-offices="/address"] holds [data-offices-governorate], [data-offices-near], [data-offices-search],
//   [data-offices-list] (replaced by the server's fragment) and [data-offices-said] (how many were found).
(function () {
  "use strict";

  var WAIT_MS = 250;

  function follow(part) {
    var governorate = part.querySelector("[data-offices-governorate]");
    var near = part.querySelector("[data-offices-near]");
    var list = part.querySelector("[data-offices-list]");
    var said = part.querySelector("[data-offices-said]");
    var timer = 0;
    var asked = "";

    function chosen() {
      var box = list.querySelector("input[type='radio']:checked");
      return box ? box.value : "";
    }

    function say() {
      var count = list.querySelectorAll("input[type='radio']").length;
      said.textContent = count === 1 ? said.dataset.one : said.dataset.many.replace("{n}", String(count));
    }

    function ask() {
      var query = new URLSearchParams({ gouvernorat: governorate.value, pres_de: near.value, choisi: chosen() });
      var address = part.dataset.offices + "?" + query.toString();
      if (address === asked) {
        return;
      }
      asked = address;
      fetch(address, { headers: { Accept: "text/html" } })
        .then(function (answer) {
          if (!answer.ok || answer.redirected) {
            throw new Error("no list");
          }
          return answer.text();
        })
        .then(function (html) {
          if (asked === address) {
            list.innerHTML = html;
            say();
          }
        })
        .catch(function () {
          asked = ""; // the button still works
        });
    }

    part.querySelector("[data-offices-search]").hidden = true;
    governorate.addEventListener("change", ask);
    near.addEventListener("input", function () {
      window.clearTimeout(timer);
      timer = window.setTimeout(ask, WAIT_MS);
    });
    near.addEventListener("keydown", function (event) {
      if (event.key === "Enter") {
        event.preventDefault();
        ask();
      }
    });
  }

  function start() {
    document.querySelectorAll("[data-offices]:not([data-followed])").forEach(function (part) {
      part.dataset.followed = "1";
      follow(part);
    });
  }

  document.addEventListener("ecert:load", start);
  start();
})();
