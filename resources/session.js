// The session of this page: what its frames say, and settings that are changed here or elsewhere.

import { BASE, attempt } from "./api.js";

const HOLD = 300; // ms after an answer in which the frame that tells of it is awaited

export const code = document.body.dataset.session;

/** Call with every new header of the feed. */
export const onFrame = (hear) => document.addEventListener("deck:frame", ({ detail }) => hear(detail));

const typing = new WeakSet();
document.addEventListener("input", ({ target }) => typing.add(target));
for (const end of ["change", "focusout"]) document.addEventListener(end, ({ target }) => typed(target));

/** What is not allowed stays as it was typed, to be mended. */
function typed(input) {
  if (input.validity?.valid ?? true) typing.delete(input);
}

/** Show a value, but not in a field in which somebody is typing. */
export function fill(input, value) {
  if (!typing.has(input) && input.value !== String(value)) input.value = value;
}

/**
 * Something of the session that controls show and change. While a change is under way they stay as
 * the visitor has them; of changes that come faster than answers, only the newest is sent.
 */
export class Setting {
  #known; // as frames told it last
  #next; // to be sent
  #sending = false;
  #hold = null; // until when what frames tell is not shown

  /**
   * @param panel the element that shows refusals
   * @param name as in the API's address
   * @param show called with the header's part
   * @param part of the header
   * @param combine what waits to be sent with what is to be sent now
   */
  constructor(panel, name, show, { part = "settings", combine = (_, data) => data } = {}) {
    Object.assign(this, { panel, show, combine, url: `${BASE}/api/sessions/${code}/${name}` });
    onFrame((header) => {
      if (header[part] === undefined) return;
      this.#known = header[part];
      if (this.#hold === null) show(this.#known);
    });
  }

  async send(data) {
    this.#next = this.combine(this.#next, data);
    clearTimeout(this.#hold);
    this.#hold = 0;
    if (this.#sending) return;
    this.#sending = true;
    while (this.#next) {
      const now = this.#next;
      this.#next = undefined;
      await attempt(this.panel, "PUT", this.url, now);
    }
    this.#sending = false;
    this.#hold = setTimeout(() => {
      this.#hold = null;
      if (this.#known) this.show(this.#known);
    }, HOLD);
  }
}
