// Decoders that run beside the server: start, stop, and how they do.

import { BASE, attempt } from "./api.js";
import { code, onFrame } from "./session.js";

const PATIENCE = 10_000; // ms: a process may be slow to end
const URL = `${BASE}/api/sessions/${code}/decoders`;

const panel = document.getElementById("decoders");
const form = panel.querySelector("form");
const list = panel.querySelector(".started");
const items = new Map();

function make(name) {
  const item = document.createElement("li");
  item.innerHTML = `<strong></strong> <span class="state"></span> <span class="line muted"></span> <button type="button"></button>`;
  item.firstElementChild.textContent = name.replaceAll("_", " ");
  const button = item.querySelector("button");
  button.addEventListener("click", async () => {
    button.disabled = true;
    show(await attempt(panel, "DELETE", `${URL}/${name}`, undefined, { patience: PATIENCE }));
    button.disabled = false;
  });
  items.set(name, item);
  list.append(item);
  return item;
}

/** Items stay the same while their decoders do, so that the keyboard's focus does. */
function show(answer) {
  if (!answer) return;
  for (const { name, state, line } of answer.decoders) {
    const item = items.get(name) ?? make(name);
    item.dataset.state = state;
    item.querySelector(".state").textContent = state;
    item.querySelector(".line").textContent = line;
    const alive = state === "fitting" || state === "running";
    item.querySelector("button").textContent = alive ? "Stop" : "Remove";
    item.querySelector("button").setAttribute("aria-label", `${alive ? "Stop" : "Remove"} ${name}`);
  }
  const present = new Set(answer.decoders.map(({ name }) => name));
  for (const [name, item] of items) {
    if (present.has(name)) continue;
    if (item.contains(document.activeElement)) form.elements.decoder.focus();
    item.remove();
    items.delete(name);
  }
}

onFrame(({ launched }) => show(launched));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  show(await attempt(panel, "POST", URL, { decoder: form.elements.decoder.value }, { patience: PATIENCE }));
  button.disabled = false;
});
