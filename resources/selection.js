// Which bins are played: targets, trials, outcome, part of the trial.

import { refuse } from "./api.js";
import { parseIds, spellIds } from "./ids.js";
import { Setting, fill } from "./session.js";

const panel = document.getElementById("selection");
const form = panel.querySelector("form");
const fields = form.elements;
const targets = [...document.querySelectorAll("#targets button")];

const nBins = Number(document.getElementById("position").max) + 1;

const pressed = (button) => button.getAttribute("aria-pressed") === "true";

const selection = new Setting(panel, "selection", ({ selection: now, selected }) => {
  for (const button of targets) button.setAttribute("aria-pressed", now.target_ids.includes(Number(button.value)));
  fill(fields.trial_ids, spellIds(now.trial_ids));
  fill(fields.success, now.success ?? "");
  for (const name of ["begin", "begin_offset", "end", "end_offset"]) fill(fields[name], now[name]);
  const [some, all] = [selected, nBins].map((n) => n.toLocaleString("en"));
  document.getElementById("selected").textContent = selected === nBins ? `all ${all} bins` : `${some} of ${all} bins`;
});

function send() {
  if (!form.reportValidity()) return;
  try {
    selection.send({
      trial_ids: parseIds(fields.trial_ids.value),
      target_ids: targets.filter(pressed).map((button) => Number(button.value)),
      success: fields.success.value === "" ? null : fields.success.value === "true",
      begin: fields.begin.value,
      begin_offset: fields.begin_offset.valueAsNumber,
      end: fields.end.value,
      end_offset: fields.end_offset.valueAsNumber,
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    refuse(panel, error.message);
  }
}

/** Add a target to the selection, or take it away. */
export function toggleTarget(target) {
  const button = targets.find(({ value }) => Number(value) === target);
  if (!button) return;
  button.setAttribute("aria-pressed", !pressed(button));
  send();
}

for (const button of targets) button.addEventListener("click", () => toggleTarget(Number(button.value)));
form.addEventListener("change", send);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", (event) => {
  event.preventDefault();
  selection.send({});
});
