// One click sends once. The button stays focusable; a page restored from the history is ready again.
// A form that may be sent several times (a download, a verdict) says data-many.
// A refused form is the answer to a POST: once it is sent again, « back » asks for the page instead of failing on it.
(function () {
  "use strict";

  var REST_MS = 20000;

  function release(form) {
    delete form.dataset.sent;
    form.querySelectorAll("[data-was-busy]").forEach(function (button) {
      button.removeAttribute("aria-disabled");
      button.removeAttribute("data-was-busy");
      button.classList.remove("is-busy");
    });
  }

  function busy(form, button) {
    form.dataset.sent = "1";
    if (button) {
      button.setAttribute("aria-disabled", "true");
      button.setAttribute("data-was-busy", "");
      button.classList.add("is-busy");
    }
    window.setTimeout(function () {
      release(form);
    }, REST_MS);
  }

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (event.defaultPrevented || form.method === "get" || form.hasAttribute("data-many")) {
      return;
    }
    if (form.dataset.sent) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    busy(form, event.submitter);
    if (document.documentElement.hasAttribute("data-posted")) {
      window.history.replaceState(window.history.state, "", window.location.href);
    }
  });

  document.addEventListener("ecert:release", function (event) {
    release(event.target);
  });

  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(release);
  });
})();
