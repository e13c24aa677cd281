// A table as one of Panel's components: rows of markup that Python has made. What has not changed is left as
// it is, so that the keyboard's focus stays; buttons send what they are for.

/** @param {{ model: any }} page */
export function render({ model }) {
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const title of model.columns) head.append(Object.assign(document.createElement("th"), { scope: "col", innerHTML: title }));
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

  body.addEventListener("click", ({ target }) => {
    const button = /** @type {Element} */ (target).closest("[data-act]");
    if (button instanceof HTMLElement) model.send_msg({ act: button.dataset.act, key: button.closest("tr")?.dataset.key });
  });
  model.on("rows", fill);
  fill();
  return table;
}
