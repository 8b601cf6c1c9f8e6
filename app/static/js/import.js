// How far the check of a file is, while the answer is awaited:
//   <form data-check-progress="/commandes/import/KEY/progression"> with a field « key », whose value takes the place
//   of KEY, and <p data-check-text="… {done} … {total}" hidden> that says it.
// Without this script the page simply answers once the check is done.
(function () {
  "use strict";

  var EVERY_MS = 300;

  function follow(form, line) {
    if (!document.contains(form) || !form.dataset.sent) {
      line.hidden = true;
      return;
    }
    var address = form.dataset.checkProgress.replace("KEY", encodeURIComponent(form.elements.key.value));
    fetch(address, { headers: { Accept: "application/json" } })
      .then(function (answer) {
        return answer.ok ? answer.json() : { total: 0 };
      })
      .then(function (seen) {
        line.hidden = !seen.total;
        if (seen.total) {
          line.textContent = line.dataset.checkText.replace("{done}", seen.done).replace("{total}", seen.total);
        }
      })
      .catch(function () {
        // The answer itself comes all the same.
      })
      .then(function () {
        window.setTimeout(follow, EVERY_MS, form, line);
      });
  }

  document.addEventListener("submit", function (event) {
    var form = event.target;
    var line = form.querySelector("[data-check-text]");
    if (form.hasAttribute("data-check-progress") && line && form.querySelector("input[type='file']").files.length) {
      window.setTimeout(follow, EVERY_MS, form, line);
    }
  });
})();
