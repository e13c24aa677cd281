// @ts-check
// The live feed: frames from the server into the plots, painted once per animation frame.
//
// A frame is applied to the columns when it arrives, which costs microseconds, and painted when the
// browser is ready for it: a slow browser paints less often and shows the newest bins nevertheless, and
// nothing piles up while a page is hidden.
//
// It tells the page by events on the document: "deck:connection" (open, lost, unknown, deleted) and
// "deck:frame" (the newest header), the latter after painting.

import { Plots } from "./plots.js";
import { element } from "./rest.js";

const SEEN = 20; // frames per confirmation, as in sessions/streams/feed.py
const SILENCE = 3000; // ms without even a heartbeat after which the server counts as lost
const SHORTEST_WAIT = 250;
const LONGEST_WAIT = 4000;
const CLOCK_PERIOD = 5000;
/** @type {Record<number, string>} */
const ENDINGS = { 1000: "deleted", 4404: "unknown" };
const REVOKED = 4403; // as in sessions/streams/feed_socket.py

/** @param {string} name @param {object} [detail] */
const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`deck:${name}`, { detail }));

// What benchmarks read: frames that came, paintings, and the age in ms of the newest bin at each.
export const stats = { frames: 0, painted: 0, ages: new Float64Array(4096) };

/** The difference between the server's clock and this one, from the quickest answer of late. */
class Clock {
  offset = 0; // ms
  trip = Infinity;
  first = 10;

  static now = () => performance.timeOrigin + performance.now();

  /** @param {WebSocket} socket */
  ask(socket) {
    this.trip *= 1.2; // clocks drift: an old answer loses to a slower, newer one in the end
    socket.send(JSON.stringify({ clock: Clock.now() }));
  }

  /** @param {{ clock: number, now: number }} answer @param {WebSocket} socket */
  hear({ clock, now }, socket) {
    const trip = Clock.now() - clock;
    if (trip <= this.trip) {
      this.trip = trip;
      this.offset = 1000 * now - (clock + trip / 2);
    }
    if (this.first-- > 0) this.ask(socket); // a page that has just opened is too busy to be quick
  }
}

/** The connection: reconnects by itself, for as long as the page is open. */
class Feed {
  clock = new Clock();
  /** @type {Header | null} */
  newest = null; // what is not painted yet
  values = new Map();
  wait = SHORTEST_WAIT;
  lost = false; // whether it ever was
  ended = false; // whether the session ever had

  /** @param {{ session: string, scene: string }} deck @param {Plots} plots */
  constructor(deck, plots) {
    this.deck = deck;
    this.plots = plots;
    this.open();
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => this.retryNow());
  }

  open() {
    /** @type {number | null} */
    this.retry = null;
    const url = new URL(`../feed/${this.deck.session}`, import.meta.url);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    /** @type {WebSocket | null} */
    this.socket = socket;
    let received = 0;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.clock.ask(socket);
    socket.onmessage = ({ data }) => {
      this.listen(socket);
      if (typeof data === "string") {
        this.clock.hear(JSON.parse(data), socket);
        return;
      }
      received += 1;
      if (received === 1) {
        this.wait = SHORTEST_WAIT;
        if (this.lost && (this.ended || document.body.dataset.controls !== "ready")) {
          location.reload(); // its controls have gone with the server, or with the session
          return;
        }
        tell("connection", { state: "open" });
      }
      if (received % SEEN === 0) socket.send('{"seen":true}');
      this.receive(data);
    };
    socket.onclose = ({ code, reason }) => {
      if (code === REVOKED) location.reload(); // the gate says what there is to do
      else this.lose(socket, ENDINGS[code] ?? "lost", reason);
    };
    this.listen(socket);
    this.asking = setInterval(() => socket.readyState === WebSocket.OPEN && this.clock.ask(socket), CLOCK_PERIOD);
  }

  /** @param {WebSocket} socket */
  listen(socket) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.lose(socket, "lost", ""), SILENCE);
  }

  /** @param {WebSocket} socket @param {string} state @param {string} reason */
  lose(socket, state, reason) {
    if (socket !== this.socket) return;
    this.socket = null;
    this.lost = true;
    this.ended ||= state !== "lost";
    clearTimeout(this.silence);
    clearInterval(this.asking);
    socket.close();
    tell("connection", { state, reason });
    // A session that is gone may be made again by a decoder: look for it, in no hurry.
    if (state !== "lost") this.wait = LONGEST_WAIT;
    this.retry = setTimeout(() => this.open(), this.wait * (0.5 + Math.random() / 2));
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }

  retryNow() {
    if (!this.retry || document.hidden) return;
    clearTimeout(this.retry);
    this.open();
  }

  /** @param {ArrayBuffer} buffer */
  receive(buffer) {
    const length = new DataView(buffer).getUint32(0, true);
    const /** @type {Header} */ header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    if (header.start && header.start !== this.deck.scene) {
      location.reload(); // the server came back with another recording or other plots
      return;
    }
    stats.frames += 1;
    this.plots.apply(header, buffer, 4 + length);
    for (const [name, text] of Object.entries(header.values)) this.values.set(name, text);
    if (this.newest === null) requestAnimationFrame(() => this.draw());
    this.newest = { ...this.newest, ...header };
  }

  draw() {
    const header = /** @type {Header} */ (this.newest);
    this.newest = null;
    this.plots.draw();
    for (const [name, text] of this.values) {
      for (const place of document.querySelectorAll(`[data-value="${name}"]`)) place.textContent = text;
    }
    this.values.clear();
    for (const [name, rows] of Object.entries(header.tables ?? {})) fill(name, rows);
    header.offset = this.clock.offset;
    if (header.timestamp !== undefined && !header.start) {
      header.age = Clock.now() + this.clock.offset - 1000 * header.timestamp;
      stats.ages[stats.painted % stats.ages.length] = header.age;
      stats.painted += 1;
    }
    tell("frame", header);
  }
}

/**
 * Rewrite the body of a table: rows of texts, before which data of the row's element may stand.
 * @param {string} name
 * @param {(string | Record<string, string>)[][]} rows
 */
function fill(name, rows) {
  for (const body of /** @type {NodeListOf<HTMLTableSectionElement>} */ (document.querySelectorAll(`[data-rows="${name}"]`))) {
    body.replaceChildren(
      ...rows.map((cells) => {
        const row = document.createElement("tr");
        for (const cell of cells) {
          if (typeof cell === "string") row.insertCell().textContent = cell;
          else Object.assign(row.dataset, cell);
        }
        return row;
      }),
    );
  }
}

async function start() {
  const read = (/** @type {string} */ id) => JSON.parse(element(id).textContent);
  const deck = read("deck");
  const { Document } = Bokeh.require("document");
  const plots = new Plots(deck.roles);
  const figures = Object.entries(read("figures"));
  for (const [name, figure] of figures) plots.attempt(name, () => plots.add(name, Document.from_json(figure)));
  plots.paint(); // before the first painting, so that no page flashes in the wrong colours
  document.addEventListener("deck:theme", () => plots.paint());
  window.deckStats = stats;
  const [first, ...others] = plots.documents.keys();
  await show(first, plots);
  new Feed(deck, plots);
  tell("first");
  for (const each of others) {
    await new Promise(requestAnimationFrame); // the first is alive while these are built
    await show(each, plots);
  }
  tell("plots");
}

/** Put a plot in its place. @param {string} name @param {Plots} plots */
async function show(name, plots) {
  const place = /** @type {Element} */ (document.querySelector(`[data-plot="${name}"]`));
  const bokehDocument = plots.documents.get(name);
  try {
    await Bokeh.embed.add_document_standalone(bokehDocument, document.body, [place]);
    plots.watch(bokehDocument.roots()[0], place);
  } catch (error) {
    plots.fail(name, error);
  }
}

start();
