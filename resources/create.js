// The form that makes a session.

import { BASE, attempt, refuse } from "./api.js";
import { parseIds } from "./ids.js";

const PATIENCE = 60_000; // ms: a recording may have to be read first

const form = document.getElementById("new");
const fields = form.elements;

/** What differs from the defaults. */
function options() {
  const chosen = {
    custom_code: fields.custom_code.value.trim() || null,
    recording: fields.recording?.value,
    speed: fields.max.checked ? "max" : fields.speed.valueAsNumber,
    loop: fields.loop.checked,
    lsl: { true: true, false: false }[fields.lsl.value] ?? null,
    seed: fields.seed.valueAsNumber,
    trial_ids: parseIds(fields.trial_ids.value),
    target_ids: parseIds(fields.target_ids.value),
  };
  if (fields.preset.value !== "none") chosen.perturbation = { preset: fields.preset.value };
  return chosen;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  let chosen;
  try {
    chosen = options();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    refuse(form, error.message);
    return;
  }
  const made = await attempt(form, "POST", `${BASE}/api/sessions`, chosen, { patience: PATIENCE });
  if (made) location.assign(`${BASE}/live?session=${made.session_code}`);
});

fields.max.addEventListener("change", () => (fields.speed.disabled = fields.max.checked));
