// The general conditions are read to the end before they can be accepted (data-read-to-end="ID of the box").
// By scrolling, by the keyboard or by the button; a text that fits without scrolling counts as read.
(function () {
  "use strict";

  function start() {
    document.querySelectorAll("[data-read-to-end]").forEach(watch);
  }

  function watch(part) {
    if (part.dataset.watched) {
      return;
    }
    part.dataset.watched = "1";
    var text = part.querySelector("[data-read-text]");
    var status = part.querySelector("[data-read-status]");
    var next = part.querySelector("[data-read-next]");
    var flag = part.querySelector("[data-read-flag]");
    var box = document.getElementById(part.dataset.readToEnd);
    var read = Boolean(box && box.checked);

    function look() {
      if (!read && text.scrollTop + text.clientHeight >= text.scrollHeight - 8) {
        read = true;
      }
      status.textContent = read ? status.dataset.read : status.dataset.unread;
      next.hidden = read;
      if (flag) {
        flag.value = read ? "1" : "";
      }
      if (box) {
        if (read) {
          box.removeAttribute("aria-disabled");
        } else {
          box.setAttribute("aria-disabled", "true");
        }
      }
    }

    text.addEventListener("scroll", look, { passive: true });
    window.addEventListener("resize", look);
    next.addEventListener("click", function () {
      text.scrollBy({ top: text.clientHeight * 0.9 });
    });
    if (box) {
      box.addEventListener("click", function (event) {
        if (!read) {
          event.preventDefault();
          status.textContent = "";
          window.setTimeout(look, 50);
          text.focus();
        }
      });
    }
    look();
  }

  document.addEventListener("ecert:load", start);
  start();
})();
