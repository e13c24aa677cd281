// Calls to the API. What is refused is shown where it was asked for, in the server's own words.

/** Path under which this server is reached: empty, or what a proxy puts before it. */
export const BASE = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

const PATIENCE = 5000; // ms that the server has for an answer

export class Refused extends Error {}

/**
 * Call the API for what `read` makes of the answer; throws `Refused`. What the server cannot give yet (503 with
 * Retry-After) is asked for again, as long as there is patience.
 */
export async function call(method, url, data, { patience = PATIENCE, read = (answer) => answer.json() } = {}) {
  const until = performance.now() + patience;
  const options = { method, signal: AbortSignal.timeout(patience) };
  if (data !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(data);
  }
  let answer;
  let pause;
  do {
    if (pause) await new Promise((done) => setTimeout(done, pause));
    try {
      answer = await fetch(url, options);
      if (answer.ok) return await read(answer);
    } catch {
      throw new Refused("The server does not answer. Try again when it is back.");
    }
    pause = answer.status === 503 && 1000 * answer.headers.get("Retry-After");
  } while (method === "GET" && pause && performance.now() + pause < until);
  const said = await answer.json().catch(() => ({}));
  throw new Refused(said.error?.message ?? `The server refused (${answer.status}).`);
}

/** Show a panel's refusal, or take it away. */
export function refuse(panel, text = "") {
  panel.querySelector(".refusal").textContent = text;
}

/** Call, and show in a panel what is refused; null then. */
export async function attempt(panel, method, url, data, options) {
  try {
    const said = await call(method, url, data, options);
    refuse(panel);
    return said;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refuse(panel, error.message);
    return null;
  }
}
