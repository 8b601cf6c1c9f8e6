// The eye beside a password: <button hidden data-reveal="ID of the input">.
(function () {
  "use strict";

  function start() {
    document.querySelectorAll("button[data-reveal][hidden]").forEach(function (button) {
      button.hidden = false;
    });
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("button[data-reveal]");
    if (!button) {
      return;
    }
    var input = document.getElementById(button.dataset.reveal);
    var shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
  });

  // A password is never left readable in what the browser stores or sends back.
  document.addEventListener("submit", function (event) {
    event.target.querySelectorAll("button[data-reveal][aria-pressed='true']").forEach(function (button) {
      document.getElementById(button.dataset.reveal).type = "password";
      button.setAttribute("aria-pressed", "false");
    });
  });

  document.addEventListener("ecert:load", start);
  start();
})();
