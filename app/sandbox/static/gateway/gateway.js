// The page works without this file: it only moves the countdown, guards the double click and leads back.
(function () {
  "use strict";

  function two(number) {
    return (number < 10 ? "0" : "") + number;
  }

  function words(left) {
    var days = Math.floor(left / 86400);
    var hours = Math.floor(left / 3600) % 24;
    return two(days) + ":" + hours + "h:" + two(Math.floor(left / 60) % 60) + "m:" + two(left % 60) + "s";
  }

  function every(seconds, show, end) {
    var until = Date.now() + seconds * 1000;
    var timer = window.setInterval(function () {
      var left = Math.max(0, Math.round((until - Date.now()) / 1000));
      show(left);
      if (left === 0) {
        window.clearInterval(timer);
        end();
      }
    }, 1000);
    return timer;
  }

  var form = document.getElementById("payment");
  var countdown = document.getElementById("countdown");
  if (countdown) {
    every(Number(countdown.dataset.left), function (left) {
      countdown.textContent = words(left);
    }, function () {
      window.setTimeout(function () {
        if (!form || !form.dataset.sent) {
          window.location.replace(window.location.pathname + window.location.search);
        }
      }, 1500);
    });
  }

  if (form) {
    form.addEventListener("submit", function (event) {
      if (form.dataset.sent) {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "1";
      var button = form.querySelector("button[type=submit]");
      button.setAttribute("aria-disabled", "true");
      button.textContent = form.dataset.busy;
    });
    window.addEventListener("pageshow", function (event) {
      if (event.persisted) {
        window.location.reload();
      }
    });
  }

  var errors = document.getElementById("errors");
  if (errors) {
    errors.focus();
  }

  var back = document.getElementById("back");
  var leaving = document.getElementById("leaving");
  if (back && leaving) {
    leaving.hidden = false;
    var timer = every(Number(back.dataset.leave), function (left) {
      document.getElementById("leave-in").textContent = left + " s";
    }, function () {
      window.location.assign(back.href);
    });
    document.getElementById("stay").addEventListener("click", function () {
      window.clearInterval(timer);
      leaving.hidden = true;
    });
  }
}());
