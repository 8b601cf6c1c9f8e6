// Passkeys: <form data-passkey="create" or "get" data-options="address" data-origin="where keys work" data-many>
// with a hidden field « credential ». The browser's answer is put there, and the form is sent as any other.
// Sentences come with the form: data-elsewhere, data-cancelled, data-known, data-failed.
(function () {
  "use strict";

  function bytes(text) {
    var plain = window.atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, function (char) {
      return char.charCodeAt(0);
    });
  }

  function text(buffer) {
    var plain = String.fromCharCode.apply(null, new Uint8Array(buffer));
    return window.btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function described(list) {
    return (list || []).map(function (each) {
      return Object.assign({}, each, { id: bytes(each.id) });
    });
  }

  function asked(kind, options) {
    options.challenge = bytes(options.challenge);
    if (kind === "create") {
      options.user.id = bytes(options.user.id);
      options.excludeCredentials = described(options.excludeCredentials);
      return navigator.credentials.create({ publicKey: options });
    }
    options.allowCredentials = described(options.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  }

  function written(credential) {
    var given = credential.response;
    var response = { clientDataJSON: text(given.clientDataJSON) };
    ["attestationObject", "authenticatorData", "signature", "userHandle"].forEach(function (name) {
      if (given[name]) {
        response[name] = text(given[name]);
      }
    });
    if (given.getTransports) {
      response.transports = given.getTransports();
    }
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response: response,
      clientExtensionResults: {},
    });
  }

  function say(form, sentence) {
    var place = form.querySelector("[data-passkey-problem]");
    place.textContent = sentence;
    place.hidden = !sentence;
  }

  function problem(form, error) {
    var names = { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "known", SecurityError: "elsewhere" };
    say(form, form.dataset[names[error && error.name] || "failed"]);
  }

  function send(form) {
    form.dataset.ready = "1";
    form.requestSubmit();
  }

  function run(form) {
    say(form, "");
    fetch(form.dataset.options, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      credentials: "same-origin",
    })
      .then(function (answer) {
        if (!answer.ok) {
          send(form); // the page itself says what is missing
          return null;
        }
        return answer.json().then(function (options) {
          return asked(form.dataset.passkey, options).then(function (credential) {
            form.elements.credential.value = written(credential);
            send(form);
          });
        });
      })
      .catch(function (error) {
        problem(form, error);
      });
  }

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (!form.dataset.passkey || form.dataset.ready) {
      return;
    }
    event.preventDefault();
    run(form);
  });

  function start() {
    document.querySelectorAll("form[data-passkey]").forEach(function (form) {
      if (!window.PublicKeyCredential || !navigator.credentials) {
        return;
      }
      if (location.origin !== form.dataset.origin) {
        say(form, form.dataset.elsewhere);
        form.querySelector("[data-passkey-none]").hidden = true;
        return;
      }
      form.querySelector("[data-passkey-none]").hidden = true;
      form.querySelector("[data-passkey-go]").hidden = false;
    });
  }

  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-passkey]").forEach(function (form) {
      delete form.dataset.ready;
    });
  });
  start();
})();
