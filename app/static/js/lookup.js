// A postal code offers its localities and fills town and governorate, unless the person typed something else.
//   <input data-lookup="/adresse" data-lookup-length="4" data-lookup-list="ID of a <datalist>"
//          data-lookup-fill="city:locality governorate:governorate">
// asks /adresse?code=1002 and expects {"results": [{"locality": "…", "governorate": "…", …}]}.
// data-lookup-fill pairs the id of a control with a key of a result; a <select> takes the matching value or text.
(function () {
  "use strict";

  function fill(control, value) {
    if (!control || (control.value && control.dataset.filled !== control.value)) {
      return;
    }
    if (control.tagName === "SELECT") {
      var option = Array.from(control.options).find(function (o) {
        return o.value === value || o.text.trim() === value;
      });
      if (!option) {
        return;
      }
      control.value = option.value;
    } else {
      control.value = value;
    }
    control.dataset.filled = control.value;
    control.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // The one value all results share under a key, or nothing.
  function common(results, key) {
    var first = results[0] && results[0][key];
    return results.every(function (result) {
      return result[key] === first;
    })
      ? first
      : "";
  }

  function use(input, results) {
    var list = document.getElementById(input.dataset.lookupList || "");
    var pairs = (input.dataset.lookupFill || "").split(" ").filter(Boolean).map(function (pair) {
      return pair.split(":");
    });
    if (list && pairs.length > 0) {
      var seen = new Set(results.map(function (result) {
        return result[pairs[0][1]];
      }));
      list.replaceChildren.apply(list, Array.from(seen, function (text) {
        var option = document.createElement("option");
        option.value = text;
        return option;
      }));
    }
    pairs.forEach(function (pair) {
      var value = common(results, pair[1]);
      if (value) {
        fill(document.getElementById(pair[0]), value);
      }
    });
  }

  document.addEventListener("input", function (event) {
    var input = event.target;
    if (!input.matches("[data-lookup]")) {
      return;
    }
    var code = input.value.replace(/\s/g, "");
    if (code.length !== Number(input.dataset.lookupLength || 4) || input.dataset.asked === code) {
      return;
    }
    input.dataset.asked = code;
    fetch(input.dataset.lookup + "?code=" + encodeURIComponent(code), { headers: { Accept: "application/json" } })
      .then(function (answer) {
        return answer.ok ? answer.json() : { results: [] };
      })
      .then(function (data) {
        if (input.dataset.asked === code && data.results) {
          use(input, data.results);
        }
      })
      .catch(function () {
        // The fields stay free to type: nothing depends on the look-up.
        delete input.dataset.asked;
      });
  });
})();
