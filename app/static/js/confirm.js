// data-confirm="sentence" on a form or on the button pressed: asked in a <dialog>, then sent with confirmed=1.
// data-confirm-title and data-confirm-ok replace the title and the word of the button.
(function () {
  "use strict";

  var waiting = null;

  function attribute(name, button, form) {
    return (button && button.getAttribute(name)) || form.getAttribute(name);
  }

  function send(form, button) {
    var flag = form.querySelector("input[name='confirmed']");
    if (!flag) {
      flag = document.createElement("input");
      flag.type = "hidden";
      flag.name = "confirmed";
      form.append(flag);
    }
    flag.value = "1";
    form.dataset.confirmed = "1";
    if (button) {
      form.requestSubmit(button);
    } else {
      form.requestSubmit();
    }
  }

  function ask(form, button, text) {
    var dialog = document.getElementById("confirm-dialog");
    if (!dialog || !dialog.showModal) {
      if (window.confirm(text)) {
        send(form, button);
      }
      return;
    }
    var title = dialog.querySelector("#confirm-title");
    var yes = dialog.querySelector("[data-dialog='yes']");
    var word = attribute("data-confirm-ok", button, form) || (button && button.textContent.trim());
    title.textContent = attribute("data-confirm-title", button, form) || title.dataset.default;
    dialog.querySelector("#confirm-text").textContent = text;
    if (word) {
      yes.textContent = word;
    }
    var grave = button && (button.classList.contains("danger") || button.classList.contains("stop"));
    yes.classList.toggle("stop", Boolean(grave));
    waiting = { form: form, button: button };
    dialog.showModal();
  }

  document.addEventListener("submit", function (event) {
    var form = event.target;
    var text = attribute("data-confirm", event.submitter, form);
    if (!text) {
      return;
    }
    if (form.dataset.confirmed) {
      delete form.dataset.confirmed;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(form, event.submitter, text);
  });

  document.addEventListener("click", function (event) {
    var answer = event.target.closest("#confirm-dialog [data-dialog]");
    if (!answer) {
      return;
    }
    var asked = waiting;
    waiting = null;
    answer.closest("dialog").close();
    if (asked && answer.dataset.dialog === "yes") {
      send(asked.form, asked.button);
    } else if (asked && asked.button) {
      asked.button.focus();
    }
  });
})();
