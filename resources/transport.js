// Play, pause, stop, step, position, trial, speed and loop.

import { BASE, attempt } from "./api.js";
import { Knob } from "./knob.js";
import { Setting, code, fill, onFrame } from "./session.js";
import { Tape } from "./tape.js";

const LABELS = { playing: "Pause", ended: "Play again" };

const $ = (id) => document.getElementById(id);
const panel = $("transport");
const play = $("play");
const position = $("position");
const trial = $("trial");
const tape = new Tape(JSON.parse($("deck").textContent).tape);

// Seeks may come faster than answers: only the newest is sent. A drag is one seek, when it ends.
let wanted = null;
let seeking = false;
let dragging = false;

async function seek(to) {
  wanted = to;
  if (seeking) return;
  seeking = true;
  while (wanted) {
    const now = wanted;
    wanted = null;
    const there = await attempt(panel, "POST", `${BASE}/api/control/${code}/seek`, now);
    if (!wanted) position.value = there?.packet_id ?? tape.position;
  }
  seeking = false;
}

const goTo = (bin) => bin !== null && seek({ packet_id: bin });

const control = (verb) => attempt(panel, "POST", `${BASE}/api/control/${code}/${verb}`);

const spell = (bin) => {
  const tenths = Math.floor((10 * bin) / tape.binRate);
  const minutes = Math.floor(tenths / 600);
  return `${String(minutes).padStart(2, "0")}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
};

/** What the keyboard does too. */
export const actions = {
  toggle: () => !play.disabled && control(document.body.dataset.state === "playing" ? "pause" : "resume"),
  step: () => control("step"),
  seconds: (n) => goTo(tape.away(Math.round(n * tape.binRate))),
  trials: (n) => goTo(tape.trialAway(n)),
  begin: () => goTo(tape.spans[0][0]),
  faster: (factor) => {
    const now = Number(knob.number.value) || 1;
    setSpeed(Math.min(Math.max(Number((now * factor).toPrecision(2)), knob.number.min), knob.number.max));
  },
};

play.addEventListener("click", actions.toggle);
for (const button of panel.querySelectorAll("[data-verb]")) {
  button.addEventListener("click", () => control(button.dataset.verb));
}
$("previous-trial").addEventListener("click", () => actions.trials(-1));
$("next-trial").addEventListener("click", () => actions.trials(1));
trial.addEventListener("change", () => trial.value && trial.reportValidity() && seek({ trial_id: Number(trial.value) }));
tape.near.addEventListener("click", (event) => goTo(tape.nearest(tape.binAt(event))));
const pointed = () => tape.nearest(Number(position.value));
position.addEventListener("input", () => {
  dragging = true;
  sayPosition(pointed());
  showPlace(pointed());
});
position.addEventListener("change", () => goTo(pointed()));
for (const end of ["change", "pointerup", "pointercancel", "blur"]) {
  position.addEventListener(end, () => (dragging = false));
}

function sayPosition(bin) {
  const at = tape.trialAt(bin);
  position.setAttribute("aria-valuetext", `${spell(bin)}${at ? `, trial ${at.id}` : ""}`);
}

// Speed and loop

const speed = new Setting(panel, "speed", ({ speed: now }) => {
  $("max").setAttribute("aria-pressed", now === "max");
  if (now !== "max") knob.show(now);
});
const knob = new Knob($("speed"), setSpeed);
const loop = new Setting(panel, "loop", ({ loop: now }) => ($("loop").checked = now));

function setSpeed(now) {
  $("max").setAttribute("aria-pressed", now === "max");
  if (now !== "max") knob.show(now);
  speed.send({ speed: now });
}

$("max").addEventListener("click", () => {
  const atMax = $("max").getAttribute("aria-pressed") === "true";
  setSpeed(atMax ? Number(knob.number.value) || 1 : "max");
});
$("loop").addEventListener("change", () => loop.send({ loop: $("loop").checked }));

// What frames say, and that none come

function showState(state, name = state) {
  if (state === document.body.dataset.state) return;
  document.body.dataset.state = state;
  play.querySelector("span").textContent = LABELS[state] ?? "Play";
  $("state").textContent = name;
}

document.addEventListener("deck:connection", ({ detail: { state } }) => {
  if (state !== "open") showState(state, state === "lost" ? state : "ended");
});

onFrame((header) => {
  showState(header.state);
  play.disabled = header.state === "failed";
  if (header.settings) tape.select(header.settings.spans);
  if ((header.packet_id === tape.position && !header.start) || dragging) return;
  showPlace(header.packet_id);
  if (!seeking) position.value = header.packet_id;
});

function showPlace(bin) {
  tape.move(bin);
  fill(trial, tape.trialAt(bin)?.id ?? "");
}

setInterval(() => dragging || sayPosition(tape.position), 1000); // for screen readers, in no hurry
