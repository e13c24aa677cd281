// @ts-check
// Calls to the API, and the lines that tell of the page as a whole.

/** Path under which this server is reached: empty, or what a proxy puts before it. */
export const BASE = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
export const LOST = "Lost the server. Trying to reach it again.";
/** What is told of a session's feed, by its state. @type {Record<string, string>} */
export const ENDINGS = { lost: LOST, unknown: "The server no longer has this session.", deleted: "This session was deleted." };

const PATIENCE = 60_000; // ms: a recording may have to be read first

/**
 * Call the API for its answer in JSON; null if it refuses, which is told.
 * @param {string} method
 * @param {string} path
 * @param {object} [data]
 * @returns {Promise<any>}
 */
export async function call(method, path, data) {
  const options = { method, body: data && JSON.stringify(data), signal: AbortSignal.timeout(PATIENCE) };
  let answer;
  try {
    answer = await fetch(BASE + path, options);
  } catch {
    refuse("The server does not answer. Try again when it is back.");
    return null;
  }
  const said = await answer.json().catch(() => ({}));
  refuse(answer.ok ? "" : (said.error?.message ?? `The server refused (${answer.status}).`));
  return answer.ok ? said : null;
}

/** @param {string} id @returns {any} */
export const element = (id) => document.getElementById(id);

/**
 * Tell how the page does, or nothing at all.
 * @param {string} text
 * @param {string} [kind]
 */
export function tell(text, kind = "") {
  const line = element("notice");
  line.hidden = text === "";
  line.dataset.kind = kind;
  element("notice-text").textContent = text;
  const create = element("recreate");
  if (create) create.hidden = kind !== "unknown" && kind !== "deleted";
}

/** Take back what was told, if it was of this kind. @param {string} kind */
export function untell(kind) {
  if (element("notice").dataset.kind === kind) tell("");
}

/** Show what was refused, or take it away. @param {string} text */
export function refuse(text) {
  const line = element("refusal");
  line.hidden = text === "";
  line.querySelector("span").textContent = text;
}
