// PhantomDeck's client in one file, to copy into any project, for browsers and Node 22 or newer (older ones with `ws`):
//
//   import { deck } from "./phantom.js";
//   for await (const bin of deck("demo", { name: "mine" })) bin.answer({ x: 0, y: 0 });
//
// It reconnects by itself, and in Node looks at PHANTOM_PORT and PHANTOM_TOKEN.

const SHORTEST = 250, LONGEST = 8000; // ms between two attempts to connect; they double from one to the next
const DELETED = 1000, FORBIDDEN = 1008; // codes of a goodbye after which nobody comes back
const FOR_GOOD = [400, 401, 403]; // statuses of HTTP for which nobody asks again
const environment = globalThis.process?.env ?? {};

/** Why a server cannot be used, in one line. `status` is that of HTTP; undefined if nobody answers. */
export class PhantomError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * One bin: the packet in the flat layout (`sequence_number`, `packet_id`, `kinematics`, `intention`, `trial_id`, ...),
 * and its counts.
 *
 * @typedef {object} Bin
 * @property {number} sequence_number
 * @property {number[]} counts  Spikes of each unit.
 * @property {{x: number?, y: number?, vx: number?, vy: number?}} kinematics  Length units, and per second.
 * @property {number} missed  Bins that were sent after the one before and did not come.
 * @property {(values: {x?: number, y?: number, vx?: number, vy?: number}) => void} answer
 *     Predicts the cursor's position, its velocity, or both. If the connection is lost meanwhile, so is the answer.
 */

/**
 * @typedef {object} Options
 * @property {string} [url]  Of the stream port; `ws://127.0.0.1:8000` or the port in PHANTOM_PORT if left out.
 * @property {string} [name]  Under which answers are shown and scored.
 * @property {string} [token]  The server's; that in PHANTOM_TOKEN if left out.
 * @property {number} [credit]  At most so many bins are out unanswered, so that a slow loop fills no memory; 40.
 * @property {"latest"|"drop-oldest"|"lossless"} [queue]  What a slow decoder loses.
 * @property {boolean} [truth]  Whether kinematics and intention are told.
 * @property {boolean} [clean]  Whether the bins come undisturbed.
 * @property {number[]} [trials]  Play only these.
 * @property {number[]} [targets]
 * @property {boolean} [patient]  Whether to wait for a server that is not there yet.
 * @property {(metadata: object) => void} [onConnect]  Told of the recording, each time.
 * @property {(line: string) => void} [onTrouble]  Told of goodbyes and errors; `console.warn` if left out.
 */

/**
 * The bins of a session, as they come, until it is deleted. Throws a `PhantomError` if the first attempt to connect
 * fails, or the server refuses for good.
 *
 * @param {string} [session]  Its code. One that does not exist is made; without one the server makes a code up.
 * @param {Options} [options]
 * @returns {AsyncGenerator<Bin>}
 */
export async function* deck(session, options = {}) {
  const { onTrouble = console.warn, onConnect = () => {} } = options;
  let again = options.patient ?? false, wait = SHORTEST, last;
  for (;;) {
    const connection = await connect(session, options);
    let open = false;
    try {
      for await (const message of connection) {
        if (message.type === "metadata") {
          again = open = true;
          session = message.session.code;
          onConnect(message);
        } else if (message.type === "data") {
          const number = message.sequence_number, missed = last === undefined ? 0 : Math.max(number - last - 1, 0);
          const bin = { ...message, counts: message.spikes.spike_counts, missed };
          let answered = false;
          bin.answer = (values) => {
            answered = connection.send({ ...values, type: "prediction", sequence_number: number });
          };
          [last, wait] = [number, SHORTEST];
          yield bin;
          if (!answered) connection.send({ type: "ready", sequence_number: number }); // for the next in its place
        } else {
          onTrouble(`The server says: ${message.detail}`);
        }
      }
    } finally {
      connection.close();
    }
    const { code, reason } = connection.goodbye;
    if (code === DELETED) return;
    if (code === FORBIDDEN) throw new PhantomError(reason, 403);
    const why = open ? reason : await refusal(options);
    if (why instanceof PhantomError && (!again || FOR_GOOD.includes(why.status))) throw why;
    const delay = wait * (0.5 + Math.random() / 2); // so that a hundred do not come back at once
    wait = Math.min(2 * wait, LONGEST);
    onTrouble(`Disconnected (${why.message ?? why}). Next attempt in ${(delay / 1000).toFixed(2)} s`);
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
}

const address = ({ url }) => url ?? `ws://127.0.0.1:${environment.PHANTOM_PORT ?? 8000}`;
const shown = ({ token = environment.PHANTOM_TOKEN }) => (token ? { token } : {}); // no headers in a browser

/** A connection: its messages, one after another, and what can be sent. */
async function connect(session, options) {
  const Socket = globalThis.WebSocket ?? (await import("node:module")).createRequire(import.meta.url)("ws");
  const { name, queue, truth = true, clean = false, credit = 40, trials = [], targets = [] } = options;
  const query = new URLSearchParams({ layout: "flat", credit, ...shown(options) });
  for (const [key, value] of Object.entries({ decoder: name, queue })) if (value !== undefined) query.set(key, value);
  if (!truth) query.set("truth", 0);
  if (clean) query.set("clean", 1);
  for (const id of trials) query.append("trial_id", id);
  for (const id of targets) query.append("target_id", id);
  const path = session === undefined ? "" : `/${encodeURIComponent(session)}`;
  const socket = new Socket(`${address(options)}/stream${path}?${query}`);
  const messages = []; // never more than the credit, and errors
  let news = () => {};
  const connection = {
    goodbye: undefined,
    send(message) {
      if (socket.readyState !== Socket.OPEN) return false;
      socket.send(JSON.stringify(message));
      return true;
    },
    close: () => socket.close(),
    async *[Symbol.asyncIterator]() {
      for (;;) {
        while (messages.length) yield messages.shift();
        if (connection.goodbye) return;
        await new Promise((resolve) => { news = resolve; });
      }
    },
  };
  socket.onmessage = ({ data }) => news(messages.push(JSON.parse(data)));
  socket.onerror = () => {}; // `onclose` follows
  socket.onclose = ({ code, reason }) => {
    connection.goodbye = { code, reason: reason || `code ${code}` };
    news();
  };
  return connection;
}

/** Why there was no connection: a WebSocket does not tell, an ordinary request does. */
async function refusal(options) {
  const url = address(options);
  try {
    const answer = await fetch(`${url.replace("ws", "http")}/api/sessions?${new URLSearchParams(shown(options))}`);
    const { detail = "It refuses this decoder: is what it asks for there, and its name allowed?" } = await answer.json();
    return new PhantomError(detail, answer.ok ? 409 : answer.status);
  } catch (error) {
    const why = error.cause?.code ?? error.message;
    return new PhantomError(`Nobody answers at ${url} (${why}). Start serve.py, or say where it is.`);
  }
}
