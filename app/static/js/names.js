// The name guard: while a name is typed in both scripts, the server says how it will stand in the certificate and
// whether the two may be two people's.
//   <div data-name-guard="/address" data-name-confirm="id"> in a form with first_name, last_name, …_ar;
// the address answers the part of the page; the box of that id is shown while something there says data-doubt.
// Without this script the page answers the same once it is sent.
(function () {
  "use strict";

  var NAMES = ["first_name", "last_name", "first_name_ar", "last_name_ar", "nationality"];
  var PAUSE_MS = 350;
  var timer = 0;
  var asked = 0;

  function show(guard, html) {
    var before = guard.querySelector("[data-doubt]");
    guard.innerHTML = html;
    var doubt = guard.querySelector("[data-doubt]");
    var confirm = document.getElementById(guard.dataset.nameConfirm);
    if (!confirm) {
      return;
    }
    confirm.hidden = !doubt;
    if (!doubt || !before || doubt.textContent !== before.textContent) {
      confirm.querySelector("input").checked = false;
    }
  }

  function ask(guard, form) {
    var body = new FormData();
    NAMES.forEach(function (name) {
      body.append(name, form.elements[name].value);
    });
    body.append("csrf_token", form.elements.csrf_token.value);
    asked += 1;
    var mine = asked;
    fetch(guard.dataset.nameGuard, { method: "POST", body: body, headers: { Accept: "text/html" } })
      .then(function (answer) {
        return answer.ok && !answer.redirected ? answer.text() : null;
      })
      .then(function (html) {
        if (html !== null && mine === asked) {
          show(guard, html);
        }
      })
      .catch(function () {
        // The page says the same once it is sent.
      });
  }

  document.addEventListener("input", function (event) {
    var field = event.target;
    var form = field.form;
    var guard = form && NAMES.indexOf(field.name) !== -1 && form.querySelector("[data-name-guard]");
    if (!guard) {
      return;
    }
    window.clearTimeout(timer);
    timer = window.setTimeout(function () {
      ask(guard, form);
    }, PAUSE_MS);
  });
})();
