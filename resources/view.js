// How the session is looked at, by all who watch it: order of units, hidden units, hit radius.

import { Setting, fill } from "./session.js";

const panel = document.getElementById("view");
const form = panel.querySelector("form");
const { order, hit_radius } = form.elements;
const boxes = [...document.querySelectorAll("#units input")];

const view = new Setting(
  panel,
  "view",
  (now) => {
    fill(order, now.order);
    fill(hit_radius, now.hit_radius);
    const hidden = new Set(now.hidden_units);
    for (const box of boxes) box.checked = !hidden.has(Number(box.value));
    sayHidden(hidden.size);
  },
  { part: "view" },
);

function sayHidden(n) {
  document.getElementById("viewed").textContent = n ? `${n} of ${boxes.length} units hidden` : "all units";
}

function send() {
  if (!form.reportValidity()) return;
  const hidden = boxes.filter((box) => !box.checked).map((box) => Number(box.value));
  sayHidden(hidden.length);
  view.send({ order: order.value, hidden_units: hidden, hit_radius: hit_radius.valueAsNumber });
}

form.addEventListener("change", send);
form.addEventListener("submit", (event) => event.preventDefault());
for (const [id, shown] of [["show-all", true], ["hide-all", false]]) {
  document.getElementById(id).addEventListener("click", () => {
    for (const box of boxes) box.checked = shown;
    send();
  });
}
