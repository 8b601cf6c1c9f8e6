// The sheet of a credit note: totals as one types, boxes of lines, the stamp that the reason usually gives back.
// The server computes everything again when the form is sent. Amounts are integer millimes throughout.
(function () {
  "use strict";

  var form = document.querySelector("form[data-credit]");
  if (!form) {
    return;
  }
  var lines = Array.from(form.querySelectorAll("[data-line]")).map(function (row) {
    return {
      row: row,
      box: row.querySelector("[data-line-box]"),
      ht: row.querySelector("[data-line-ht]"),
      delivery: row.querySelector("[data-line-delivery]"),
      vatOut: row.querySelector("[data-line-vat]"),
      totalOut: row.querySelector("[data-line-total]"),
      leftHt: Number(row.dataset.ht),
      leftVat: Number(row.dataset.vat),
      leftDelivery: Number(row.dataset.delivery),
      rate: Number(row.dataset.rate),
    };
  });
  var stamp = form.querySelector("[data-stamp]");
  var reason = form.elements.reason;
  var stampTyped = false;

  // « 1 271,500 DT » → 1271500; NaN for what is no amount; nothing typed counts for nothing.
  function millimes(text) {
    var tidy = text.replace(/[\s\u00a0\u202f]/g, "").replace(/(DT|TND)$/i, "");
    if (tidy === "") {
      return 0;
    }
    var found = /^(\d+)(?:[.,](\d{1,3}))?$/.exec(tidy) || /^(\d{1,3}(?:\.\d{3})+)(?:,(\d{1,3}))?$/.exec(tidy);
    return found ? Number(found[1].replace(/\./g, "")) * 1000 + Number((found[2] || "0").padEnd(3, "0")) : NaN;
  }

  function dinars(amount) {
    if (Number.isNaN(amount)) {
      return "—";
    }
    var whole = String(Math.floor(amount / 1000)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
    return whole + "," + String(amount % 1000).padStart(3, "0") + "\u00a0DT";
  }

  function typed(amount) {
    return String(Math.floor(amount / 1000)) + "," + String(amount % 1000).padStart(3, "0");
  }

  // As app/services/credits/amounts.py: all that is left with all that is left, else rounded half up.
  function vat(line, ht) {
    return ht === line.leftHt ? line.leftVat : Math.min(Math.floor((2 * ht * line.rate + 10000) / 20000), line.leftVat);
  }

  function usualStamp() {
    var left = Number(form.dataset.stampLeft);
    var ticked = lines.filter(function (line) {
      return line.box.checked;
    });
    var everything = ticked.length === lines.length;
    return ticked.length && (everything || form.dataset.keeps.split(" ").indexOf(reason.value) < 0) ? left : 0;
  }

  function show() {
    var sums = { ht: 0, vat: 0, delivery: 0, stamp: millimes(stamp.value), total: 0 };
    var count = 0;
    lines.forEach(function (line) {
      line.ht.disabled = line.delivery.disabled = !line.box.checked;
      var ht = millimes(line.ht.value);
      var delivery = millimes(line.delivery.value);
      var tax = Number.isNaN(ht) ? NaN : vat(line, ht);
      line.vatOut.textContent = dinars(tax);
      line.totalOut.textContent = dinars(ht + tax + delivery);
      if (line.box.checked) {
        count += 1;
        sums.ht += ht;
        sums.vat += tax;
        sums.delivery += delivery;
      }
    });
    sums.total = sums.ht + sums.vat + sums.delivery + sums.stamp;
    form.querySelectorAll("[data-sum]").forEach(function (out) {
      out.textContent = dinars(sums[out.dataset.sum]);
    });
    var told = form.querySelector("[data-credit-count]");
    told.textContent = count === 1 ? told.dataset.one : told.dataset.many.replace("{n}", String(count));
  }

  function usual() {
    if (!stampTyped) {
      stamp.value = typed(usualStamp());
    }
    show();
  }

  form.addEventListener("input", function (event) {
    if (event.target === stamp) {
      stampTyped = true;
    }
    if (event.target.matches("[data-line-ht], [data-line-delivery], [data-stamp]")) {
      show();
    }
  });

  form.addEventListener("change", function (event) {
    if (event.target === reason || event.target.matches("[data-line-box]")) {
      usual();
    }
  });

  form.addEventListener("click", function (event) {
    var button = event.target.closest("button[name='step']");
    if (!button || (button.value !== "all" && button.value !== "none")) {
      return;
    }
    event.preventDefault();
    lines.forEach(function (line) {
      line.box.checked = button.value === "all";
    });
    usual();
  });

  form.querySelectorAll("[data-credit-recount]").forEach(function (part) {
    part.hidden = true;
  });
  // Amounts that the server gave back after an error are the person's own.
  stampTyped = stamp.value !== typed(usualStamp());
  window.addEventListener("pageshow", show);
  show();
})();
