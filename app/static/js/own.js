// « Je suis le demandeur du certificat »: ticking fills the fields with one's own data, unticking clears them.
//   <input type="checkbox" data-own='{"last_name": "…", …}'> : keys are names of fields of the same form.
// Without this script the server fills what was left empty.
(function () {
  "use strict";

  document.addEventListener("change", function (event) {
    var box = event.target;
    if (!box.dataset || !box.dataset.own) {
      return;
    }
    var own = JSON.parse(box.dataset.own);
    Object.keys(own).forEach(function (name) {
      var field = box.form.elements[name];
      if (!field || field === box) {
        return;
      }
      field.value = box.checked ? own[name] : (field.tagName === "SELECT" ? field.options[0].value : "");
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new Event("change", { bubbles: true }));
    });
  });
})();
