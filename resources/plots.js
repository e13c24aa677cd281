// @ts-check
// What frames do to Bokeh's sources. It knows no plot: a frame (plotters/frame.py) names sources, columns
// and what to do with them, so a new plot needs no line here.

/** @type {Record<string, any>} */
const ARRAYS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
};

const NEAR = { rootMargin: "200px" }; // so much before a plot comes into sight it is drawn

/** The Bokeh models of the page, and what frames do to them. */
export class Plots {
  /** @param {Record<string, Record<string, any>>} roles Colours and sizes of each theme, by what they are for. */
  constructor(roles) {
    this.roles = roles;
    this.documents = new Map(); // by the plot's name
    /** @type {Model[]} */
    this.models = [];
    this.named = new Map();
    this.blank = new Map();
    this.changed = new Set();
    /** @type {[Model, Record<string, any>][]} */
    this.wanted = []; // properties to be set with the next drawing, so that axes fit what is drawn
    this.unseen = new Set(); // sources of plots that are not in sight
    this.failed = new Set(); // names of plots that have failed, each alone
    this.sources = new Map(); // of each place that is watched
    this.observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        for (const source of this.sources.get(target)) this.unseen[isIntersecting ? "delete" : "add"](source);
      }
      this.draw();
    }, NEAR);
  }

  /** Take the document of a plot. @param {string} plot @param {any} bokehDocument */
  add(plot, bokehDocument) {
    this.documents.set(plot, bokehDocument);
    for (const model of bokehDocument.all_models) {
      this.models.push(model);
      if (!model.name) continue;
      this.named.set(model.name, model);
      if (model.data) this.blank.set(model, new Map(columns(model).map(([name, column]) => [name, copy(column)])));
    }
  }

  /** Draw a plot while its place is in sight; if it is not, when it comes there. @param {Model} root @param {Element} place */
  watch(root, place) {
    this.sources.set(place, [...root.references()].filter((model) => this.blank.has(model)));
    this.observer.observe(place);
  }

  /** Set what the plotters left to the theme. */
  paint() {
    const { theme = "dark", type } = document.documentElement.dataset;
    const roles = this.roles[theme];
    const values = type === "large" ? { ...roles, small: roles.large } : roles;
    for (const model of this.models) {
      for (const tag of model.tags) {
        if (!tag?.theme) continue;
        const entries = tag.theme instanceof Map ? [...tag.theme] : Object.entries(tag.theme);
        model.setv(Object.fromEntries(entries.map(([name, role]) => [name, values[role] ?? role])));
      }
    }
  }

  /**
   * Apply a frame. One that starts leads from the columns as they were built.
   * @param {Header} header
   * @param {ArrayBuffer} buffer
   * @param {number} base Where the numbers begin.
   */
  apply(header, buffer, base) {
    if (header.start) {
      for (const [source, blank] of this.blank) {
        for (const [name, column] of blank) replace(source, name, copy(column));
        this.changed.add(source);
      }
    }
    for (const update of header.updates) {
      const name = update.source ?? update.model ?? "";
      if (!this.documents.has(name.split("/", 1)[0])) continue; // another page's, of the same feed
      this.attempt(name, () => this.update(update, this.model(name), buffer, base));
    }
  }

  /** @param {Update} update @param {Model} model @param {ArrayBuffer} buffer @param {number} base */
  update(update, model, buffer, base) {
    if (update.op === "set") {
      const entries = Object.entries(update.properties).map(([name, value]) => [name, revive(value)]);
      this.wanted.push([model, Object.fromEntries(entries)]);
      return;
    }
    const values = update.values ?? wrap(update, buffer, base);
    if (update.op === "shift") shift(model, update.column, values, update.shape);
    else replace(model, update.column, values);
    this.changed.add(model);
  }

  /** @param {string} name */
  model(name) {
    if (!this.named.has(name)) throw new Error(`its figure has no ${name}`);
    return this.named.get(name);
  }

  /**
   * Do something to a model, or to a plot; where that fails, the plot ends, and the others go on.
   * @param {string} name
   * @param {() => void} act
   */
  attempt(name, act) {
    const plot = name.split("/", 1)[0];
    if (this.failed.has(plot)) return;
    try {
      act();
    } catch (error) {
      this.fail(plot, error);
    }
  }

  /** @param {string} plot @param {any} error */
  fail(plot, error) {
    this.failed.add(plot);
    console.error(error);
    const note = `This plot has failed (${error.message}). Mend it, and start the server again.`;
    for (const element of document.querySelectorAll(`[data-failed="${plot}"]`)) element.textContent ||= note;
  }

  /** Let Bokeh draw what changed. */
  draw() {
    for (const [model, properties] of this.wanted.splice(0)) this.attempt(model.name, () => model.setv(properties));
    for (const source of this.changed) {
      if (this.unseen.has(source)) continue;
      this.changed.delete(source);
      this.attempt(source.name, () => source.change.emit());
    }
  }
}

/** @param {Model} source @returns {[string, any][]} */
const columns = (source) => (source.data instanceof Map ? [...source.data] : Object.entries(source.data));

/** @param {Model} source @param {string} name */
const get = (source, name) => {
  const column = source.data instanceof Map ? source.data.get(name) : source.data[name];
  if (column === undefined) throw new Error(`${source.name} has no column ${name}`);
  return column;
};

/** @param {Model} source @param {string} name @param {any} column */
const put = (source, name, column) => {
  if (source.data instanceof Map) source.data.set(name, column);
  else source.data[name] = column;
};

/** @param {any} value */
const revive = (value) => (value?.type === "map" ? new Map(value.entries) : value);

/** @param {any} column */
const isImage = (column) => column.length === 1 && column[0]?.shape?.length === 2;

/** @param {any} column */
const copy = (column) => (isImage(column) ? column[0].slice() : column.slice());

/** @param {Update} update @param {ArrayBuffer} buffer @param {number} base */
const wrap = ({ dtype, shape, offset }, buffer, base) =>
  new ARRAYS[dtype](buffer, base + offset, shape.reduce((size, n) => size * n, 1));

/** Set a column. Images keep their array, whose shape Bokeh knows. @param {Model} source @param {string} name @param {any} values */
function replace(source, name, values) {
  const column = get(source, name);
  if (isImage(column)) column[0].set(values);
  else put(source, name, values);
}

/**
 * Append to a column or to the right of an image, and drop as much of the oldest.
 * @param {Model} source
 * @param {string} name
 * @param {any} values
 * @param {number[]} shape
 */
function shift(source, name, values, shape) {
  const column = get(source, name);
  const image = isImage(column);
  const target = image ? column[0] : column;
  const width = image ? target.shape[1] : target.length;
  const rows = target.length / width;
  const came = shape.at(-1) ?? 0;
  const n = Math.min(came, width);
  target.copyWithin(0, n); // all rows at once: what spills into the next row is overwritten below
  for (let row = 0; row < rows; row++) {
    target.set(values.subarray((row + 1) * came - n, (row + 1) * came), (row + 1) * width - n);
  }
}
