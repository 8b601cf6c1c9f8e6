// Filters that apply as they change: <select data-autosubmit> in a GET form. The form keeps its button for the
// keyboard and for pages without script; the focus comes back to the filter after the page is reloaded.
(function () {
  "use strict";

  var KEY = "ecert-focus";

  document.addEventListener("change", function (event) {
    var control = event.target;
    if (!control.matches("[data-autosubmit]") || !control.form) {
      return;
    }
    try {
      window.sessionStorage.setItem(KEY, window.location.pathname + "#" + control.id);
    } catch (refused) {
      // A browser that keeps nothing only loses the focus.
    }
    control.form.requestSubmit();
  });

  try {
    var kept = window.sessionStorage.getItem(KEY);
    window.sessionStorage.removeItem(KEY);
    if (kept && kept.indexOf(window.location.pathname + "#") === 0) {
      var control = document.getElementById(kept.slice(kept.indexOf("#") + 1));
      if (control) {
        control.focus({ preventScroll: true });
      }
    }
  } catch (refused) {
    // As above.
  }
})();
