// Figures that follow what is ticked or typed. The server computes the same ones when the form is sent.
//   <form data-live-sum data-fixed="1000"> with boxes data-amount="423500" (millimes);
//     [data-live="count"] and [data-live="total"] show them; data-fixed is added once when something is ticked;
//     [data-live-empty] is shown when nothing is ticked, [data-live-some] when something is.
//   <output data-mirror="id1 id2"> repeats the values of these inputs, joined by a space (preview of the CN).
//   <textarea data-count="id of the counter" maxlength="500">
//   <input type="checkbox" data-pick-all="name"> ticks every box of that name in its form.
(function () {
  "use strict";

  // 1271500 → « 1 271,500 DT », the digits grouped by a narrow no-break space.
  function dinars(millimes) {
    var whole = String(Math.floor(millimes / 1000)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
    return whole + "," + String(millimes % 1000).padStart(3, "0") + "\u00a0DT";
  }

  function sum(box) {
    var ticked = Array.from(box.querySelectorAll("input[data-amount]:checked"));
    var total = ticked.reduce(function (all, input) {
      return all + Number(input.dataset.amount);
    }, ticked.length ? Number(box.dataset.fixed || 0) : 0);
    box.querySelectorAll("[data-live='count']").forEach(function (out) {
      out.textContent = String(ticked.length);
    });
    box.querySelectorAll("[data-live='total']").forEach(function (out) {
      out.textContent = dinars(total);
    });
    box.querySelectorAll("[data-live-empty]").forEach(function (part) {
      part.hidden = ticked.length > 0;
    });
    box.querySelectorAll("[data-live-some]").forEach(function (part) {
      part.hidden = ticked.length === 0;
    });
  }

  function mirror(out) {
    out.textContent = out.dataset.mirror
      .split(" ")
      .map(function (id) {
        var input = document.getElementById(id);
        return input ? input.value.trim() : "";
      })
      .filter(Boolean)
      .join(" ");
  }

  function count(area) {
    var line = document.getElementById(area.dataset.count);
    if (!line || area.maxLength < 0) {
      return;
    }
    var left = area.maxLength - area.value.length;
    line.classList.toggle("over", left < 0);
    line.textContent = (left < 0 ? line.dataset.over : line.dataset.left).replace("{n}", String(Math.abs(left)));
  }

  function pickAllState(all) {
    var boxes = Array.from((all.form || document).querySelectorAll("input[name='" + CSS.escape(all.dataset.pickAll) + "']"));
    var ticked = boxes.filter(function (box) {
      return box.checked;
    }).length;
    all.hidden = boxes.length === 0; // it does nothing without this script
    all.checked = boxes.length > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  }

  function refresh() {
    document.querySelectorAll("[data-live-sum]").forEach(sum);
    document.querySelectorAll("[data-mirror]").forEach(mirror);
    document.querySelectorAll("[data-count]").forEach(count);
    document.querySelectorAll("[data-pick-all]").forEach(pickAllState);
  }

  document.addEventListener("input", refresh);
  document.addEventListener("change", function (event) {
    if (event.target.matches("[data-pick-all]")) {
      var all = event.target;
      (all.form || document).querySelectorAll("input[name='" + CSS.escape(all.dataset.pickAll) + "']").forEach(function (box) {
        box.checked = all.checked;
      });
    }
    refresh();
  });
  document.addEventListener("ecert:load", refresh);
  window.addEventListener("pageshow", refresh);
  refresh();
})();
