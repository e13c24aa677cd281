// @ts-check
// A person's hand: where it points in the arena goes to the server, more often than packets do.

import { ENDINGS, element, tell, untell } from "./rest.js";
import { begin } from "./panel.js";

import "./feed.js"; // the last: by now all have ears for it

const PERIOD = 15; // ms between two messages of a hand that rests: a packet, every 25 ms, finds a new one
const LEAST = 8; // ms between two messages of one that moves
const AGAIN = 2000; // ms until a hand that was refused or lost asks again
const DEAD = 0.12; // of a gamepad's stick: nearer to its middle is none

const { body } = document;
const arena = element("arena");
/** @type {any} */
let view = null; // Bokeh's, of the arena
/** @type {WebSocket | null} */
let socket = null;
/** @type {{clientX: number, clientY: number} | null} */
let pointer = null;
let offset = 0; // ms from this clock to the server's
let sent = 0;

document.addEventListener("deck:first", async () => {
  view = window.Bokeh.index.roots.find((/** @type {any} */ root) => root.model.name === "arena");
  for (const shown of view.model.renderers) {
    // The cursor is the decoder's already: what each would have made of its answers alone is for the live page.
    if (/(cursor|trail) [1-9]/.test(shown.data_source?.name ?? "")) shown.visible = false;
  }
  await begin();
  body.dataset.controls = "ready";
  if ("person" in body.dataset) connect();
});

document.addEventListener("deck:connection", ({ detail: { state } }) => {
  body.dataset.connection = state;
  tell(ENDINGS[state] ?? "", state);
});

document.addEventListener("deck:frame", ({ detail: header }) => {
  body.dataset.state = header.state;
  if (header.offset !== undefined) offset = header.offset;
  if (header.intended !== undefined) element("intended").value = header.intended;
  const shown = header.state === "playing" && header.age !== undefined;
  element("screen").textContent = shown ? `${Math.max(header.age ?? 0, 0).toFixed(0)} ms` : "–";
});

/** The hand's own socket: the seat is asked for again until it is free. */
function connect() {
  const url = new URL(`hand/${body.dataset.session}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url);
  socket.onopen = () => {
    body.dataset.hand = "here";
    setTimeout(() => socket?.readyState === WebSocket.OPEN && untell("hand"), AGAIN / 2); // a refusal comes sooner
  };
  socket.onclose = ({ reason }) => {
    body.dataset.hand = "none";
    if (reason && body.dataset.connection === "open") tell(reason, "hand");
    setTimeout(connect, AGAIN);
  };
}

/** Where a gamepad's stick points: from the arena's middle, its whole way to the edge. */
function stick() {
  const [x, y] = [...navigator.getGamepads()].find(Boolean)?.axes ?? [0, 0];
  if (Math.hypot(x, y) < DEAD) return null;
  const along = (/** @type {Model} */ { start, end }, /** @type {number} */ share) => (start + end) / 2 + (share * (end - start)) / 2;
  return { x: along(view.model.x_range, x), y: along(view.model.y_range, -y) };
}

/** Where the pointer is in the arena's lengths; null if it is not there. */
function pointed() {
  if (!pointer) return null;
  const { left, top } = view.el.getBoundingClientRect();
  const { x_scale, y_scale } = view.frame;
  return { x: x_scale.invert(pointer.clientX - left), y: y_scale.invert(pointer.clientY - top) };
}

/** @param {number} at Time of the pointer's being there, of the page's performance clock. */
function send(at) {
  if (!view || socket?.readyState !== WebSocket.OPEN) return;
  const place = stick() ?? pointed();
  const t = (performance.timeOrigin + at + offset) / 1000;
  socket.send(JSON.stringify(place ? { ...place, t } : {}));
  sent = performance.now();
}

/** @param {PointerEvent} event */
function move(event) {
  pointer = event;
  if (performance.now() - sent >= LEAST) send(event.timeStamp);
}

function leave() {
  pointer = null;
  send(performance.now());
}

for (const name of ["pointermove", "pointerdown"]) arena.addEventListener(name, move);
for (const name of ["pointerleave", "pointercancel"]) arena.addEventListener(name, leave);
arena.addEventListener("pointerup", (/** @type {PointerEvent} */ event) => event.pointerType !== "mouse" && leave());
document.addEventListener("visibilitychange", () => document.hidden && leave());
setInterval(() => send(performance.now()), PERIOD);
