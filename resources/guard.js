// The emergency stop, and the alarm of drift.

import { BASE, attempt } from "./api.js";
import { tell, untell } from "./notice.js";
import { code, onFrame } from "./session.js";

const KEY = "F8";
const STOP = `${BASE}/api/sessions/${code}/emergency-stop`;

const emergency = document.getElementById("emergency");
const transport = document.getElementById("transport");
const sinks = document.getElementById("sinks");
const drift = document.getElementById("drift");
const { body } = document;

const stop = () => attempt(transport, "POST", STOP).then(show);
const release = () => attempt(transport, "POST", `${STOP}/release`).then(show);

function show(said) {
  if (!said || said.stopped === "stopped" in body.dataset) return;
  body.toggleAttribute("data-stopped", said.stopped);
  emergency.querySelector("span").textContent = said.stopped ? "Release cursors" : "Emergency stop";
  emergency.querySelector("kbd").hidden = said.stopped;
  emergency.title = said.stopped ? "Let the cursors of decoders go on" : "Freeze the cursors of all decoders";
  if (said.stopped) tell("Emergency stop: the cursors of decoders stand still.", "stopped");
  else untell("stopped");
}

emergency.addEventListener("click", () => ("stopped" in body.dataset ? release() : stop()));

// Wherever the focus is, in a dialog too. The key only stops: releasing takes a look at the page.
addEventListener(
  "keydown",
  (event) => {
    if (event.key !== KEY) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    stop();
  },
  { capture: true },
);

onFrame((header) => {
  show(header);
  if (header.drift) showDrift(header.drift);
  if (header.sinks) showSinks(header.sinks);
});

/** What to say of sinks that do not get their bins, a sentence each. */
function showSinks(said) {
  if (sinks.dataset.said === said.join()) return; // it would be read aloud again
  sinks.dataset.said = said.join();
  sinks.replaceChildren(...said.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  sinks.hidden = !said.length;
}

function showDrift({ alarm, say, seconds, of, called }) {
  drift.toggleAttribute("data-alarm", alarm);
  const known = seconds >= of;
  drift.querySelector("strong").textContent = alarm ? `Alarm: ${say}` : known ? say : `${called}, ${seconds} of ${of} s`;
}

drift.querySelector("button").addEventListener("click", () => {
  attempt(drift, "POST", `${BASE}/api/sessions/${code}/drift/reference`);
});
