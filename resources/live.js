// @ts-check
// A session's page: is the server there, how old is what it shows, the keyboard, and clicks in the arena.

import { ENDINGS, call, element, tell, untell } from "./rest.js";
import { followLatency } from "./latency.js";
import { storage } from "./page.js";
import { begin } from "./panel.js";

import "./feed.js"; // the last: by now all have ears for it

const PERIOD = 500; // ms: numbers that change with every frame can be read a few times a second
const SKIPPED = 0.8; // painting fewer of the frames than this counts as skipping

const { body } = document;
const emergency = element("emergency");
const help = element("keys-help");
const stop = `/api/sessions/${body.dataset.session}/emergency-stop`;
/** @type {any} */
const seen = { frames: 0, painted: 0, at: performance.now(), age: null, skipping: 0 };

/** @param {any} detail */
const ask = (detail) => document.dispatchEvent(new CustomEvent("deck:ask", { detail }));

document.addEventListener("deck:first", begin);

document.addEventListener("deck:connection", ({ detail: { state } }) => {
  body.dataset.connection = state;
  emergency.disabled = state !== "open";
  if (state !== "open") element("state").textContent = state === "lost" ? state : "ended";
  tell(ENDINGS[state] ?? "", state);
});

// Controls have a connection of their own: while that stands, a lost feed takes no one's focus or text.
new MutationObserver(() => {
  const { connection, controls } = body.dataset;
  const gone = connection !== "open" && (connection !== "lost" || controls !== "ready");
  element("session").disabled = element("session").inert = gone; // shadow roots do not know the fieldset
}).observe(body, { attributeFilter: ["data-connection", "data-controls"] });

document.addEventListener("deck:frame", ({ detail: header }) => {
  if (header.sequence_number !== undefined) delete body.dataset.empty;
  const { stopped } = body.dataset;
  for (const [name, value] of Object.entries(header.flags)) {
    if (value === null) delete body.dataset[name];
    else body.dataset[name] = value;
  }
  element("state").textContent = header.state;
  if (header.state === "failed") tell(`The replay has failed: ${header.error}`, "failed");
  if (body.dataset.stopped !== stopped) showStopped();
  seen.age = header.age ?? null;
  if (header.values.phase === seen.phase) return;
  seen.phase = header.values.phase;
  for (const item of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".phases li"))) {
    if (item.dataset.phase === seen.phase) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  }
});

setInterval(() => {
  const { frames, painted } = window.deckStats ?? seen;
  const now = performance.now();
  const live = body.dataset.state === "playing" && body.dataset.connection === "open";
  const rate = (1000 * (painted - seen.painted)) / (now - seen.at);
  element("age").textContent = live && seen.age !== null ? `${Math.max(seen.age, 0).toFixed(0)} ms` : "–";
  element("rate").textContent = live ? `${rate.toFixed(0)} / s` : "–";
  const skips = live && painted - seen.painted < SKIPPED * (frames - seen.frames);
  seen.skipping = skips ? seen.skipping + 1 : 0;
  if (seen.skipping === 2) element("skipping").textContent = "some skipped";
  if (seen.skipping === 0) element("skipping").textContent = "";
  Object.assign(seen, { frames, painted, at: now });
}, PERIOD);

// The emergency stop asks the API itself: it works before Panel does. The key only stops: releasing takes
// a look at the page.

function showStopped() {
  const stopped = "stopped" in body.dataset;
  emergency.querySelector("span").textContent = stopped ? "Release cursors" : "Emergency stop";
  emergency.querySelector("kbd").hidden = stopped;
  emergency.title = stopped ? "Let the cursors of decoders go on" : "Freeze the cursors of all decoders";
  if (stopped) tell("Emergency stop: the cursors of decoders stand still.", "stopped");
  else untell("stopped");
}

emergency.addEventListener("click", () => call("POST", "stopped" in body.dataset ? `${stop}/release` : stop));
addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "F8") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    call("POST", stop);
  },
  { capture: true }, // wherever the focus is, in a dialog too
);

// The keyboard, where nobody is typing and no control has the key itself.

// Layouts of the page, by name: kept for the next page. Where each has its plots, Python says.

const LAYOUT = "phantomdeck-layout";
const layouts = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-layout]"));

/** @param {string} name "monitor", or that of a button */
function lay(name) {
  body.dataset.view = name;
  document.documentElement.dataset.type = name === "present" ? "large" : "";
  for (const button of layouts) button.setAttribute("aria-pressed", String(button.dataset.layout === name));
  storage.set(LAYOUT, name);
  document.dispatchEvent(new CustomEvent("deck:theme"));
  ask({ layout: name });
}

const toggle = (/** @type {string} */ name) => lay(body.dataset.view === name ? "monitor" : name);
for (const button of layouts) {
  const name = `${button.dataset.layout}`;
  if (storage.get(LAYOUT) === name) lay(name);
  button.addEventListener("click", () => toggle(name));
}

const KEYS = [" ", ".", "ArrowLeft", "ArrowRight", "Shift+ArrowLeft", "Shift+ArrowRight", "+", "-", "Home", "r", "b"];
/** @type {Record<string, () => void>} */
const ALWAYS = { p: () => toggle("present"), c: () => toggle("compare"), "?": () => help.showModal() }; // without a session too
const TYPING = "input:not([type=checkbox], [type=radio], [type=range]), select, textarea, [contenteditable], dialog *";
/** @type {[string, string[]][]} */
const OWN = [
  ["button, a, summary, [type=checkbox], .switch, [role=switch]", [" "]],
  ["[type=range], [role=slider], .noUi-handle", ["ArrowLeft", "ArrowRight", "Home", "Shift+ArrowLeft", "Shift+ArrowRight"]],
  ["pre", ["ArrowLeft", "ArrowRight", "Home"]],
];

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const arrow = event.shiftKey && event.key.startsWith("Arrow");
  const key = arrow ? `Shift+${event.key}` : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const target = /** @type {Element} */ (event.composedPath()[0]); // which may be in a shadow root
  if (target.matches(TYPING) || OWN.some(([who, keys]) => target.matches(who) && keys.includes(key))) return;
  const known = KEYS.includes(key) && !element("session").disabled;
  if (key === "Escape" && body.dataset.view === "present") lay("monitor");
  if (!ALWAYS[key] && !known) return;
  event.preventDefault();
  if (ALWAYS[key]) ALWAYS[key]();
  else ask({ key });
});

element("keys").addEventListener("click", () => help.showModal());

/** The figure of a plot, if the page has it. @param {string} plot @returns {Model} */
const figure = (plot) => window.Bokeh.index.roots.map((/** @type {any} */ view) => view.model).find((/** @type {Model} */ { name }) => name === plot);

/** @param {Model} plot @param {string} source @param {...string} names @returns {any[]} */
const columns = (plot, source, ...names) => {
  const { data } = plot.document.get_model_by_name(source);
  return names.map((name) => (data instanceof Map ? data.get(name) : data[name]));
};

// A click on a target in the arena selects it. Of two quick clicks, wherever they are, the second is "doubletap".

document.addEventListener("deck:plots", () => {
  const plot = figure("arena");
  const toggle = (/** @type {{ x: number, y: number }} */ { x, y }) => {
    const [xs, ys, radii] = columns(plot, "arena/targets", "x", "y", "radius");
    const distances = Array.from(xs, (tx, i) => Math.hypot(tx - x, ys[i] - y) / radii[i]);
    const nearest = Math.min(...distances);
    if (nearest < 1.5) ask({ target: distances.indexOf(nearest) });
  };
  for (const click of ["tap", "doubletap"]) plot?.on_event(click, toggle);
});

// In the scope a threshold is dragged, and given back to the noise by two clicks; a click in the array chooses an electrode.

document.addEventListener("deck:plots", () => {
  const plot = figure("scope");
  const hand = plot?.document.get_model_by_name("scope/hand");
  let held = -1; // the row whose line is
  const near = (/** @type {{ y: number }} */ { y }) => {
    const distances = columns(plot, "scope/threshold", "y")[0].map((/** @type {number} */ each) => Math.abs(each - y));
    return distances.findIndex((/** @type {number} */ each) => each < 0.15 && each === Math.min(...distances));
  };
  const take = (/** @type {{ y: number }} */ at) => {
    held = near(at);
  };
  const drag = (/** @type {{ y: number }} */ { y }) => {
    if (held >= 0) hand.location = y;
  };
  const drop = () => {
    if (held >= 0 && hand.location !== null) ask({ threshold: held, height: hand.location });
    held = -1;
    hand.location = null;
  };
  const giveBack = (/** @type {{ y: number }} */ at) => near(at) >= 0 && ask({ threshold: near(at), height: null });
  // Who holds the button before moving presses, for Bokeh, and does not pan.
  const hears = Object.entries({ panstart: take, press: take, pan: drag, mousemove: drag, panend: drop, pressup: drop, doubletap: giveBack });
  for (const [event, hear] of hears) plot?.on_event(event, hear);
  figure("array")?.on_event("tap", (/** @type {{ x: number, y: number }} */ { x, y }) => ask({ electrode: [x, y] }));
});

followLatency();
