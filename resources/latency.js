// The last stage of the latency plot, which only the page knows: when a decoder's answer was painted.

// @ts-check

const PERIOD = 500; // ms
const KEPT = 40; // times per decoder, of which the median is shown
const END = 1000; // ms, of the plot's axis

const times = []; // ms from a bin's being due to its answer on screen, by mark
let source = null;
let due = 0;

export function followLatency() {
  document.addEventListener("deck:plots", () => {
    const plot = window.Bokeh.index.roots.map(({ model }) => model).find(({ name }) => name === "latency");
    source = plot?.document.get_model_by_name("latency/screen");
  });
  document.addEventListener("deck:frame", ({ detail }) => take(detail));
}

function take({ age, behind_ms: behind }) {
  if (behind === undefined || age === undefined) return;
  behind.forEach((ms, mark) => {
    times[mark] ??= [];
    if (ms === null) times[mark].length = 0;
    else if (times[mark].push(age + ms) > KEPT) times[mark].shift();
  });
  if (performance.now() < due || !source) return;
  due = performance.now() + PERIOD;
  show(times.map((known) => [...known].sort((a, b) => a - b)[known.length >> 1] ?? NaN));
}

function show(medians) {
  const { data } = source;
  const columns = {
    right: Float32Array.from(medians, (ms) => Math.min(ms, END)),
    text: medians.map((ms) => (Number.isNaN(ms) ? "" : ms.toFixed(0))),
  };
  for (const [name, column] of Object.entries(columns)) {
    if (data instanceof Map) data.set(name, column);
    else data[name] = column;
  }
  source.change.emit();
}
