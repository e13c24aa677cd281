// The perturbation panel. It knows no model: the page was made from their declarations.

import { Knob } from "./knob.js";
import { Setting } from "./session.js";

const panel = document.getElementById("perturbation");
const presets = [...document.querySelectorAll("#presets button")];

/** One call takes all changes that wait. */
function combine(waiting = {}, data) {
  if (data.preset || waiting.preset) return data;
  const models = new Set([...Object.keys(waiting), ...Object.keys(data)]);
  return Object.fromEntries([...models].map((model) => [model, { ...waiting[model], ...data[model] }]));
}

function show({ perturbation: now, preset, seed }) {
  for (const button of presets) button.setAttribute("aria-pressed", button.value === preset);
  for (const [model, values] of Object.entries(now)) {
    for (const [name, value] of Object.entries(values)) controls.get(`${model}.${name}`)?.(value);
  }
  const on = Object.keys(now).filter((model) => now[model].enabled);
  document.getElementById("perturbed").textContent = on.length ? on.join(", ").replaceAll("_", " ") : "off";
  document.getElementById("seed").textContent = seed;
}

const perturbation = new Setting(panel, "perturbation", show, { combine });

const change = (model, name, value) => perturbation.send({ [model]: { [name]: value } });

/** What shows a value, by "model.parameter". */
const controls = new Map();

for (const fieldset of panel.querySelectorAll("[data-model]")) {
  const { model } = fieldset.dataset;
  for (const input of fieldset.querySelectorAll("[name]")) {
    const key = input.type === "checkbox" ? "checked" : "value";
    controls.set(`${model}.${input.name}`, (value) => (input[key] = value));
    input.addEventListener("change", () => change(model, input.name, input[key]));
  }
  for (const element of fieldset.querySelectorAll(".knob")) {
    const { name } = element.dataset;
    const knob = new Knob(element, (value) => change(model, name, value));
    controls.set(`${model}.${name}`, (value) => knob.show(value));
  }
}

for (const button of presets) {
  button.addEventListener("click", () => perturbation.send({ preset: button.value }));
}
