// A table as one of Panel's components: rows of markup that Python has made. What has not changed is left as
// it is, so that the keyboard's focus stays; buttons send what they are for.

const ROW = 33; // px of a row of a long table, as in table.css
const CHUNK = 50; // rows that are asked for at once

/** @param {{ model: any }} page */
export function render({ model }) {
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  const body = table.createTBody();

  /** @param {string} key */
  function made(key) {
    const row = document.createElement("tr");
    row.dataset.key = key;
    [...head.cells].forEach((title, i) => {
      const cell = Object.assign(document.createElement(i ? "td" : "th"), i ? {} : { scope: "row" });
      cell.dataset.label = title.textContent ?? "";
      row.append(cell);
    });
    return row;
  }

  /** @param {HTMLElement} cell @param {string} markup */
  function put(cell, markup) {
    const held = cell.contains(/** @type {ShadowRoot} */ (cell.getRootNode()).activeElement);
    cell.innerHTML = cell.dataset.markup = markup;
    if (held) cell.querySelector("button")?.focus();
  }

  /** Titles, of which a person may have pressed one. */
  function title() {
    while (head.cells.length > model.columns.length) head.lastElementChild?.remove();
    if (head.cells.length < model.columns.length) body.replaceChildren();
    while (head.cells.length < model.columns.length) head.append(Object.assign(document.createElement("th"), { scope: "col" }));
    model.columns.forEach((/** @type {string} */ markup, /** @type {number} */ i) => head.cells[i].dataset.markup === markup || put(head.cells[i], markup));
  }

  function fill() {
    const gone = new Map([...body.rows].map((row) => [row.dataset.key, row]));
    model.rows.forEach((/** @type {string[]} */ [key, state, ...cells], /** @type {number} */ i) => {
      const row = gone.get(key) ?? made(key);
      gone.delete(key);
      row.dataset.state = state;
      cells.forEach((markup, j) => row.cells[j].dataset.markup === markup || put(row.cells[j], markup));
      if (body.rows[i] !== row) body.insertBefore(row, body.rows[i] ?? null);
    });
    for (const row of gone.values()) row.remove();
  }

  table.addEventListener("click", ({ target }) => {
    const found = /** @type {Element} */ (target);
    const button = found.closest("[data-act]") ?? (scroller && found.closest("tbody tr")?.querySelector("[data-act]"));
    if (button instanceof HTMLElement) model.send_msg({ act: button.dataset.act, key: button.closest("tr")?.dataset.key ?? "" });
  });

  /** Of a long table, only rows around those in sight are here: the place of the others is kept free. */
  function place() {
    const [before, total] = model.span;
    table.style.marginTop = `${before * ROW}px`;
    table.style.marginBottom = `${Math.max(total - before - model.rows.length, 0) * ROW}px`;
  }

  const scroller = model.span.length ? Object.assign(document.createElement("div"), { className: "long", tabIndex: 0 }) : null;
  let chunk = 0;
  scroller?.append(table);
  scroller?.addEventListener("scroll", () => {
    const now = Math.floor(scroller.scrollTop / ROW / CHUNK);
    if (now !== chunk) model.send_msg({ chunk: (chunk = now) });
  });
  const show = () => {
    title();
    fill();
    if (scroller) place();
  };
  for (const changed of ["columns", "rows", "span"]) model.on(changed, show);
  show();
  return scroller ?? table;
}
