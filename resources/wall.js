// @ts-check
// The wall: a cell for every session. Its feed tells what has changed: texts, attributes of what is drawn, data.

import { BASE, LOST, element, tell } from "./rest.js";

const SILENCE = 4000; // ms without a word after which the server counts as lost
const AGAIN = 1500;
const REVOKED = 4403; // as in sessions/streams/feed_socket.py
const TOTAL = ""; // stands for the line above all cells

const wall = element("wall");
/** @type {Map<string, any>} */
let cells = new Map();

/** @param {string} code */
function add(code) {
  const cell = element("cell").content.firstElementChild.cloneNode(true);
  cell.dataset.code = cell.querySelector("a").textContent = code;
  cell.querySelector("a").href = wall.dataset.page + code;
  wall.insertBefore(cell, [...wall.children].find((each) => each.dataset.code > code) ?? null);
  cells.set(code, cell);
  return cell;
}

/** @param {string} code @param {any} told */
function show(code, told) {
  if (told === null) {
    cells.get(code)?.remove();
    cells.delete(code);
    return;
  }
  const cell = code === TOTAL ? document.body : (cells.get(code) ?? add(code));
  Object.assign(cell.dataset, told.data);
  for (const [name, text] of Object.entries(told.texts)) cell.querySelector(`[data-of=${name}]`).textContent = text;
  for (const [name, attributes] of Object.entries(told.drawn)) {
    for (const [key, value] of Object.entries(attributes)) cell.querySelector(`.${name}`).setAttribute(key, value);
  }
}

function open() {
  const url = new URL(`${BASE}/${wall.dataset.feed}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  let silence = setTimeout(() => socket.close(), SILENCE);
  let first = true;
  socket.onmessage = ({ data }) => {
    clearTimeout(silence);
    silence = setTimeout(() => socket.close(), SILENCE);
    if (first) {
      wall.replaceChildren();
      cells = new Map();
      first = false;
      document.body.dataset.connection = "open";
      tell("");
    }
    for (const [code, told] of Object.entries(JSON.parse(data))) show(code, told);
  };
  socket.onclose = ({ code }) => {
    clearTimeout(silence);
    if (code === REVOKED) location.reload(); // the gate says what there is to do
    document.body.dataset.connection = "lost";
    tell(LOST, "lost");
    setTimeout(open, AGAIN);
  };
}

open();
