// A session's page: is the server there, how old is what it shows, and the controls.

import "./arena.js";
import "./decoders.js";
import "./guard.js";
import "./keys.js";
import "./latency.js";
import { LOST, tell } from "./notice.js";
import "./perturbation.js";
import "./pictures.js";
import "./record.js";
import "./scores.js";
import { onFrame } from "./session.js";
import "./tabs.js";
import "./view.js";

import "./feed.js"; // the last: by now all have ears for it

const PERIOD = 500; // ms: numbers that change with every frame can be read a few times a second
const SKIPPED = 0.8; // painting fewer of the frames than this counts as skipping

const ENDINGS = {
  lost: LOST,
  unknown: "The server no longer has this session.",
  deleted: "This session was deleted.",
};

const { body } = document;
const $ = (id) => document.getElementById(id);
const seen = { frames: 0, painted: 0, at: performance.now(), age: null, skipping: 0 };

document.addEventListener("deck:connection", ({ detail: { state } }) => {
  body.dataset.connection = state;
  $("session").disabled = $("emergency").disabled = state !== "open";
  tell(ENDINGS[state] ?? "", state);
});

onFrame((header) => {
  if (header.sequence_number !== undefined) delete body.dataset.empty;
  if (header.state === "failed") tell(`The replay has failed: ${header.error}`, "failed");
  seen.age = header.age ?? null;
  if (header.values.phase !== seen.phase) showPhase((seen.phase = header.values.phase));
});

function showPhase(phase) {
  for (const item of document.querySelectorAll(".phases li")) {
    if (item.dataset.phase === phase) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  }
}

setInterval(() => {
  const { frames, painted } = window.deckStats ?? seen;
  const now = performance.now();
  const live = body.dataset.state === "playing" && body.dataset.connection === "open";
  const rate = (1000 * (painted - seen.painted)) / (now - seen.at);
  $("age").textContent = live && seen.age !== null ? `${Math.max(seen.age, 0).toFixed(0)} ms` : "–";
  $("rate").textContent = live ? `${rate.toFixed(0)} / s` : "–";
  const skips = live && painted - seen.painted < SKIPPED * (frames - seen.frames);
  seen.skipping = skips ? seen.skipping + 1 : 0;
  if (seen.skipping === 2) $("skipping").textContent = "some skipped";
  if (seen.skipping === 0) $("skipping").textContent = "";
  Object.assign(seen, { frames, painted, at: now });
}, PERIOD);
