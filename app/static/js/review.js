// The desk works in place: a verdict is sent, a page turned, a paper enlarged without leaving; the answer's new parts
// replace the old ones and the address follows. Each button says its own key. Without this file everything reloads:
// same forms, same links, same answers.
(function () {
  "use strict";

  var PARTS = ["desk-presence", "desk-decide", "desk-tabs", "pane-declared", "paper-head", "paper-tools", "pane-beside"];
  var FORMS = ".review form.verdict, .review form.why-form, .review form.all-good";
  var ACTIVE_MS = 10 * 60 * 1000;
  var busy = false;
  var lastActive = Date.now();

  function byId(id) {
    return document.getElementById(id);
  }

  // Times on screen are Tunis's, wherever the desk stands.
  function clock() {
    return new Date().toLocaleTimeString("fr-FR", { timeZone: "Africa/Tunis", hour: "2-digit", minute: "2-digit" });
  }

  // ---- parts of the page replaced

  function place(button) {
    var form = button.form;
    return {
      action: form.getAttribute("action").split("?")[0],
      field: form.elements.field ? form.elements.field.value : "",
      verdict: button.value,
    };
  }

  // The same button on the new page, or the reason that it now asks for.
  function focusAgain(where, opensReason) {
    if (opensReason) {
      var select = byId("why-" + where.field);
      if (select) {
        select.focus();
        return;
      }
    }
    var forms = Array.from(document.querySelectorAll("form.verdict"));
    var form = forms.find(function (each) {
      return each.getAttribute("action").split("?")[0] === where.action && each.elements.field.value === where.field;
    });
    var button = form && (form.querySelector("button[value='" + where.verdict + "']") || form.querySelector("button"));
    if (button) {
      button.focus({ preventScroll: true });
    }
  }

  // The middle of what one was reading stays in the middle when it grows.
  function keepMiddle(old, fresh) {
    var was = old.querySelector(".sheet");
    var is = fresh.querySelector(".sheet");
    if (!was || !is || !was.scrollWidth || !was.scrollHeight) {
      return;
    }
    var x = (was.scrollLeft + was.clientWidth / 2) / was.scrollWidth;
    var y = (was.scrollTop + was.clientHeight / 2) / was.scrollHeight;
    function settle() {
      is.scrollLeft = x * is.scrollWidth - is.clientWidth / 2;
      is.scrollTop = y * is.scrollHeight - is.clientHeight / 2;
    }
    var picture = is.querySelector("img");
    if (picture && !picture.complete) {
      picture.addEventListener("load", settle, { once: true });
    } else {
      settle();
    }
  }

  function replaceSheets(page) {
    var old = byId("paper-sheets");
    var fresh = page.getElementById("paper-sheets");
    if (!old || !fresh || old.dataset.shown === fresh.dataset.shown) {
      return; // the same picture stays, and is not asked for again
    }
    var here = document.importNode(fresh, true);
    old.replaceWith(here);
    if (old.dataset.shown.split("/pages/")[0] === here.dataset.shown.split("/pages/")[0]) {
      keepMiddle(old, here);
    }
  }

  function replace(page) {
    var review = byId("review");
    var freshReview = page.getElementById("review");
    if (Boolean(byId("paper-sheets")) !== Boolean(page.getElementById("paper-sheets"))) {
      review.replaceWith(document.importNode(freshReview, true));
    } else {
      review.className = freshReview.className;
      replaceSheets(page);
    }
    PARTS.forEach(function (id) {
      var old = byId(id);
      var fresh = page.getElementById(id);
      if (old && fresh) {
        old.replaceWith(document.importNode(fresh, true));
      } else if (old) {
        old.replaceChildren();
      }
    });
    var head = document.querySelector("#main .desk-top");
    document.querySelectorAll("#main > .note[role]").forEach(function (note) {
      note.remove();
    });
    page.querySelectorAll("#main > .note[role]").forEach(function (note) {
      head.after(document.importNode(note, true));
    });
    prepare();
  }

  function fetched(address, options) {
    return window.fetch(address, options).then(function (answer) {
      if (!answer.ok) {
        throw new Error(String(answer.status));
      }
      return answer.text().then(function (text) {
        var page = new DOMParser().parseFromString(text, "text/html");
        if (!page.getElementById("review")) {
          throw new Error("another page");
        }
        if (answer.redirected || !options.method) {
          window.history.replaceState(null, "", answer.url);
        }
        return page;
      });
    });
  }

  function send(form, button) {
    var data = new FormData(form, button && button.name ? button : undefined);
    var where = button && form.classList.contains("verdict") ? place(button) : null;
    busy = true;
    fetched(form.action, { method: "POST", body: data, credentials: "same-origin" })
      .then(function (page) {
        replace(page);
        var opens = Boolean(page.querySelector(".why-form"));
        if (where) {
          focusAgain(where, opens && where.verdict === "bad");
        } else if (form.elements.field) {
          focusAgain({ action: form.getAttribute("action").split("?")[0], field: form.elements.field.value, verdict: "bad" }, opens);
        } else {
          byId("main").focus({ preventScroll: true });
        }
        var line = document.querySelector("[data-saved]");
        if (line && !opens) {
          line.textContent = line.dataset.savedText.replace("{time}", clock());
        }
        document.dispatchEvent(new CustomEvent("ecert:load"));
      })
      .catch(function () {
        window.location.reload();
      })
      .finally(function () {
        busy = false;
      });
  }

  // A link that only shows the paper otherwise.
  function go(link) {
    var key = link.dataset.key;
    var address = link.href;
    busy = true;
    fetched(address, { credentials: "same-origin" })
      .then(function (page) {
        var inside = link.closest("#document");
        replace(page);
        var again = key && document.querySelector("[data-swap][data-key='" + key + "']");
        var target = again || (inside ? document.querySelector("#paper-sheets .sheet") : byId("document"));
        if (target && document.activeElement === document.body) {
          target.focus({ preventScroll: true });
        }
        if (!inside) {
          byId("document").scrollIntoView({ block: "nearest" });
        }
        document.dispatchEvent(new CustomEvent("ecert:load"));
      })
      .catch(function () {
        window.location.assign(address);
      })
      .finally(function () {
        busy = false;
      });
  }

  document.addEventListener(
    "submit",
    function (event) {
      var form = event.target;
      if (!form.matches(FORMS) || !window.fetch || !window.DOMParser) {
        return;
      }
      if (form.dataset.confirm && !form.dataset.confirmed) {
        return; // confirm.js asks first, then sends it again
      }
      delete form.dataset.confirmed;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!busy) {
        send(form, event.submitter);
      }
    },
    true
  );

  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-swap]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || !byId("review")) {
      return;
    }
    event.preventDefault();
    if (!busy) {
      go(link);
    }
  });

  // ---- the paper under the hand: the wheel with Ctrl enlarges, a drag moves it

  document.addEventListener(
    "wheel",
    function (event) {
      var sheet = event.target.closest && event.target.closest("#paper-sheets .sheet");
      if (!sheet || !event.ctrlKey) {
        return;
      }
      event.preventDefault();
      var link = document.querySelector("#paper-tools [data-key='" + (event.deltaY < 0 ? "+" : "-") + "']");
      if (link && !busy) {
        go(link);
      }
    },
    { passive: false }
  );

  document.addEventListener("pointerdown", function (event) {
    var sheet = event.target.closest && event.target.closest("#paper-sheets .sheet");
    if (!sheet || event.button || event.pointerType !== "mouse") {
      return;
    }
    var from = { x: event.clientX, y: event.clientY, left: sheet.scrollLeft, top: sheet.scrollTop };
    event.preventDefault();
    sheet.focus({ preventScroll: true });
    sheet.classList.add("held");
    function move(now) {
      sheet.scrollLeft = from.left - (now.clientX - from.x);
      sheet.scrollTop = from.top - (now.clientY - from.y);
    }
    function drop() {
      sheet.classList.remove("held");
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", drop);
    }
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", drop);
  });

  // ---- the keys

  function points() {
    return Array.from(document.querySelectorAll("#pane-declared .decl, #paper-head")).filter(function (each) {
      return each.querySelector("form.verdict");
    });
  }

  function herePoint() {
    var point = document.activeElement.closest && document.activeElement.closest("#pane-declared .decl, #paper-head");
    return point && point.querySelector("form.verdict") ? point : null;
  }

  function step(by) {
    var all = points();
    if (!all.length) {
      return;
    }
    var at = all.indexOf(herePoint());
    var next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
    var form = all[next].querySelector("form.verdict");
    var button = form.querySelector("[aria-pressed='true']") || form.querySelector("button");
    button.focus();
    all[next].scrollIntoView({ block: "nearest" });
  }

  function judge(verdict) {
    var point = herePoint();
    if (!point) {
      step(1); // the first press says where one is
      return;
    }
    point.querySelector("form.verdict button[value='" + verdict + "']").click();
  }

  function showKeys() {
    var dialog = byId("desk-keys");
    if (dialog && dialog.showModal && !dialog.open) {
      dialog.showModal();
    }
  }

  function press(selector) {
    var target = document.querySelector(selector);
    if (target) {
      target.click();
    }
    return Boolean(target);
  }

  var OWN = {
    j: function () {
      step(1);
    },
    k: function () {
      step(-1);
    },
    v: function () {
      judge("ok");
    },
    x: function () {
      judge("bad");
    },
    b: function () {
      press(".crumbs a");
    },
    g: function () {
      press("#desk-tabs a[href*='onglet=messages']");
    },
    "?": showKeys,
  };

  function typing(target) {
    return target.closest && target.closest("input:not([type='checkbox']):not([type='radio']), textarea, select, [contenteditable='true']");
  }

  function tab(number) {
    var links = document.querySelectorAll("#desk-tabs a");
    if (links[number - 1]) {
      links[number - 1].click();
    }
  }

  document.addEventListener("keydown", function (event) {
    lastActive = Date.now();
    var target = event.target;
    if (typing(target)) {
      var why = target.closest("form.why-form");
      if (why && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        why.requestSubmit();
      } else if (event.key === "Escape") {
        target.blur();
      }
      return;
    }
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) {
      return;
    }
    if (document.querySelector("dialog[open]")) {
      return;
    }
    var key = event.key.length === 1 ? event.key.toLowerCase() : "";
    if (!key) {
      return;
    }
    if (event.repeat && key !== "j" && key !== "k") {
      event.preventDefault(); // a key held down decides once
      return;
    }
    if (busy) {
      return;
    }
    if (key === "=") {
      key = "+"; // the same key, without Shift
    }
    if (OWN[key]) {
      event.preventDefault();
      OWN[key]();
    } else if (/^[1-9]$/.test(key)) {
      event.preventDefault();
      tab(Number(key));
    } else if (/^[a-z+-]$/.test(key) && document.querySelector("[data-key='" + key + "']")) {
      event.preventDefault();
      press("[data-key='" + key + "']");
    } else if (/^Digit[1-9]$/.test(event.code) && !event.shiftKey) {
      event.preventDefault(); // a French keyboard's digits are under Shift
      tab(Number(event.code.slice(5)));
    }
  });

  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-keys-open]")) {
      showKeys();
    } else if (event.target.closest("[data-keys-close]")) {
      byId("desk-keys").close();
    }
  });

  // ---- who else is there

  function token() {
    var field = document.querySelector("input[name='csrf_token']");
    return field ? field.value : "";
  }

  function beat(leaving) {
    var part = byId("desk-presence");
    if (!part || !part.dataset.presence) {
      return;
    }
    var data = new FormData();
    data.append("csrf_token", token());
    data.append("version", part.dataset.version);
    if (leaving) {
      data.append("parti", "1");
      navigator.sendBeacon(part.dataset.presence, data);
      return;
    }
    window
      .fetch(part.dataset.presence, { method: "POST", body: data, credentials: "same-origin" })
      .then(function (answer) {
        return answer.ok && !answer.redirected ? answer.text() : null;
      })
      .then(function (text) {
        if (text !== null && text.trim() !== part.dataset.said) {
          part.dataset.said = text.trim();
          part.innerHTML = text;
        }
      })
      .catch(function () {
        // The next one will say.
      });
  }

  function present() {
    if (document.visibilityState === "visible" && Date.now() - lastActive < ACTIVE_MS) {
      beat(false);
    }
  }

  document.addEventListener("pointermove", function () {
    lastActive = Date.now();
  });
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "visible") {
      lastActive = Date.now();
      present();
    }
  });
  window.addEventListener("pagehide", function () {
    beat(true);
  });

  function prepare() {
    document.querySelectorAll("[data-keys-open]").forEach(function (button) {
      button.hidden = false;
    });
  }

  // Checks that run are asked about until they answer; what is being typed is left alone.
  var asked = 0;
  function follow() {
    var part = document.querySelector("[data-checks-running]");
    if (!part || busy || asked > 60 || document.visibilityState !== "visible") {
      return;
    }
    asked += 1;
    window
      .fetch(window.location.href, { credentials: "same-origin" })
      .then(function (answer) {
        return answer.ok && !answer.redirected ? answer.text() : "";
      })
      .then(function (text) {
        var fresh = new DOMParser().parseFromString(text, "text/html").getElementById("pane-beside");
        var old = byId("pane-beside");
        if (fresh && old && !busy && !old.contains(document.activeElement)) {
          old.replaceWith(document.importNode(fresh, true));
        }
      })
      .catch(function () {
        // The next one will.
      });
  }

  prepare();
  present();
  window.setInterval(follow, 4000);
  window.setInterval(present, 15000);
})();
