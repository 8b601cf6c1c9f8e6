// Forms with files (data-upload) are sent by XMLHttpRequest so that progress can be shown; the answer takes the
// place of the page, as if the browser had followed it. Without this script the form is sent plainly.
(function () {
  "use strict";

  function size(bytes) {
    var lang = document.documentElement.lang || "fr";
    var small = bytes < 1048576;
    var figure = small ? Math.ceil(bytes / 1024) : Math.ceil(bytes / 104857.6) / 10; // never « 10 Mo » of a file above 10 Mo
    var unit = lang === "en" ? (small ? " KB" : " MB") : small ? " ko" : " Mo";
    return figure.toLocaleString(lang === "ar" ? "ar-TN-u-nu-latn" : lang, { maximumFractionDigits: 1 }) + unit;
  }

  function problem(drop, text) {
    var line = drop.querySelector("[data-file-problem]");
    if (line) {
      line.textContent = text;
      line.hidden = !text;
    }
  }

  // The size is known before sending: say at once what the server would refuse after minutes.
  function check(input) {
    var drop = input.closest("[data-drop]");
    var limit = Number(input.dataset.maxBytes || 0);
    var tooBig = Array.from(input.files).find(function (file) {
      return limit && file.size > limit;
    });
    if (drop) {
      problem(drop, tooBig ? input.dataset.tooBig.replace("{size}", size(tooBig.size)) : "");
    }
    return !tooBig;
  }

  // Browsers cut the name short on a phone: it stands below in full, and what was said of the file before goes.
  function name(input) {
    var drop = input.closest("[data-drop]");
    var line = drop && drop.querySelector("[data-file-chosen]");
    var file = input.files[0];
    if (!line) {
      return;
    }
    line.hidden = !file;
    line.textContent = Array.from(input.files)
      .map(function (each) {
        return each.name + " · " + size(each.size);
      })
      .join(", ");
    var field = drop.closest(".field.bad");
    var said = document.getElementById(input.id + "-error");
    if (file && field && said) {
      field.classList.remove("bad");
      input.removeAttribute("aria-invalid");
      said.remove();
    }
  }

  function chosen(form) {
    return Array.from(form.querySelectorAll("input[type='file']")).filter(function (input) {
      return input.files.length > 0;
    });
  }

  function weightOf(input) {
    return Array.from(input.files).reduce(function (sum, file) {
      return sum + file.size;
    }, 0);
  }

  function show(inputs, loaded, total, sentText) {
    var all = inputs.reduce(function (sum, input) {
      return sum + weightOf(input);
    }, 0);
    var sent = total ? (loaded / total) * all : 0;
    inputs.forEach(function (input) {
      var drop = input.closest("[data-drop]");
      var weight = weightOf(input) || 1;
      var part = Math.max(0, Math.min(1, sent / weight));
      sent -= weight;
      if (!drop) {
        return;
      }
      var box = drop.querySelector("[data-progress]");
      box.hidden = false;
      box.querySelector("progress").value = Math.round(part * 100);
      box.querySelector("[data-progress-text]").textContent =
        part >= 1 ? sentText : Math.round(part * 100) + " % · " + size(weight);
    });
  }

  function hide(inputs) {
    inputs.forEach(function (input) {
      var drop = input.closest("[data-drop]");
      if (drop) {
        drop.querySelector("[data-progress]").hidden = true;
      }
    });
  }

  function address() {
    return window.location.href.split("#")[0];
  }

  var shown = address();

  function follow(request) {
    var kind = request.getResponseHeader("Content-Type") || "";
    if (kind.indexOf("text/html") === -1) {
      window.location.assign(request.responseURL);
      return;
    }
    var page = new DOMParser().parseFromString(request.responseText, "text/html");
    if (request.responseURL !== window.location.href) {
      window.history.pushState({ ecert: 1 }, "", request.responseURL);
    }
    shown = address();
    document.documentElement.lang = page.documentElement.lang;
    document.documentElement.dir = page.documentElement.dir;
    document.title = page.title;
    document.body.className = page.body.className;
    document.body.replaceChildren.apply(document.body, Array.from(page.body.childNodes));
    window.scrollTo(0, 0);
    var main = document.getElementById("main");
    if (main) {
      main.focus({ preventScroll: true });
    }
    // A conversation opens at its last message, unless something is to correct.
    var arrived = document.querySelector("[data-arrive]");
    if (arrived && !document.querySelector("[data-summary]")) {
      arrived.scrollIntoView({ block: "center" });
    }
    document.dispatchEvent(new CustomEvent("ecert:load"));
  }

  function send(form, button, inputs) {
    var data = new FormData(form);
    if (button && button.name) {
      data.append(button.name, button.value);
    }
    var request = new XMLHttpRequest();
    request.open("POST", (button && button.getAttribute("formaction")) || form.getAttribute("action") || window.location.href);
    request.setRequestHeader("Accept", "text/html");
    request.upload.addEventListener("progress", function (event) {
      show(inputs, event.loaded, event.total, form.dataset.uploadSent);
    });
    request.addEventListener("load", function () {
      follow(request);
    });
    request.addEventListener("error", function () {
      hide(inputs);
      inputs.forEach(function (input) {
        var drop = input.closest("[data-drop]");
        if (drop) {
          problem(drop, form.dataset.uploadFailed);
        }
      });
      form.dispatchEvent(new CustomEvent("ecert:release", { bubbles: true }));
    });
    show(inputs, 0, 1, form.dataset.uploadSent);
    request.send(data);
  }

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (event.defaultPrevented || !form.hasAttribute("data-upload")) {
      return;
    }
    var inputs = chosen(form);
    if (inputs.length === 0) {
      return;
    }
    event.preventDefault();
    var wrong = inputs.filter(function (input) {
      return !check(input);
    });
    if (wrong.length > 0) {
      form.dispatchEvent(new CustomEvent("ecert:release", { bubbles: true }));
      wrong[0].focus();
      return;
    }
    send(form, event.submitter, inputs);
  });

  document.addEventListener("change", function (event) {
    if (event.target.matches("input[type='file']")) {
      name(event.target);
      check(event.target);
    }
  });

  ["dragover", "dragleave", "drop"].forEach(function (name) {
    document.addEventListener(name, function (event) {
      var drop = event.target.closest && event.target.closest("[data-drop]");
      if (!drop) {
        return;
      }
      drop.classList.toggle("over", name === "dragover");
      if (name === "dragleave") {
        return;
      }
      event.preventDefault();
      if (name === "drop" && event.dataTransfer.files.length > 0) {
        var input = drop.querySelector("input[type='file']");
        var folded = input.closest("details");
        if (folded) {
          folded.open = true;
        }
        input.files = event.dataTransfer.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
  });

  // Back from a page that took another's place asks the server; a link within the page (#…) comes here too, and must not.
  window.addEventListener("popstate", function () {
    if (address() !== shown) {
      window.location.reload();
    }
  });
})();
