// The recording as a tape: its trials, those that are selected, and the way to them.

const NEAR = 44; // pixels of a trial in the near view: its id can be read
const PAD = 5; // pixels to either side of an id
const READABLE = 3; // pixels between trials from which on their boundaries are drawn

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);

/** Index of the last span that begins at a bin or before it; -1 if there is none. */
function spanAt(spans, bin) {
  let low = 0;
  for (let high = spans.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (spans[middle][0] <= bin) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export class Tape {
  position = 0;

  /** @param tape as dashboard/settings.py has it */
  constructor({ n_bins, bin_rate, trials }) {
    this.nBins = n_bins;
    this.binRate = bin_rate;
    this.trials = trials.map(([id, first, end, target]) => ({ id, first, end, target }));
    this.near = document.getElementById("near");
    this.whole = document.getElementById("whole");
    this.select([[0, n_bins]]);
    new ResizeObserver(() => this.draw()).observe(this.whole);
    document.addEventListener("deck:theme", () => this.draw());
  }

  select(spans) {
    this.spans = spans;
    const bounds = this.trials.map(({ first, end }) => [first, end]);
    this.selectedTrials = this.trials.filter((trial, i) => this.#selectedIn(bounds[i]) !== null);
    this.draw();
  }

  move(position) {
    if (position === this.position) return;
    this.position = position;
    this.#drawNear();
  }

  /** The selected bin that is nearest. */
  nearest(bin) {
    const before = spanAt(this.spans, bin);
    if (before < 0) return this.spans[0][0];
    const last = this.spans[before][1] - 1;
    if (bin <= last) return bin;
    const after = this.spans[before + 1]?.[0] ?? Infinity;
    return after - bin < bin - last ? after : last;
  }

  /** The bin that is played so many bins after (before) the position; the first or last at the ends. */
  away(n) {
    let at = Math.max(spanAt(this.spans, this.position), 0);
    let bin = this.nearest(this.position) + n;
    while (bin >= this.spans[at][1] && at + 1 < this.spans.length) {
      bin += this.spans[at + 1][0] - this.spans[at][1];
      at += 1;
    }
    while (bin < this.spans[at][0] && at > 0) {
      bin -= this.spans[at][0] - this.spans[at - 1][1];
      at -= 1;
    }
    return this.nearest(bin);
  }

  trialAt(bin) {
    const at = spanAt(this.trials.map(({ first }) => [first]), bin);
    return at >= 0 && bin < this.trials[at].end ? this.trials[at] : null;
  }

  /** The first selected bin of the trial so many trials away, among those selected. */
  trialAway(n) {
    const trials = this.selectedTrials;
    if (!trials.length) return null;
    let at = trials.findLastIndex(({ first }) => first <= this.position);
    // Back means first to the beginning of this trial, unless we have only just left it.
    const begun = at >= 0 && this.position - this.#selectedIn([trials[at].first, trials[at].end]) > this.binRate / 2;
    if (n < 0 && begun) at += 1;
    const { first, end } = trials[Math.min(Math.max(at + n, 0), trials.length - 1)];
    return this.#selectedIn([first, end]);
  }

  draw() {
    const { context, width, height } = fit(this.whole);
    const x = (bin) => (bin / this.nBins) * width;
    this.#drawSpans(context, x, height, 0, this.nBins);
    if (width / this.trials.length >= READABLE) this.#drawBoundaries(context, x, height, this.trials);
    this.#drawNear();
  }

  #drawNear() {
    const { context, width, height } = fit(this.near);
    const half = this.#half(width);
    const first = this.position - half;
    const x = (bin) => ((bin - first) / (2 * half)) * width;
    const shown = this.trials.filter((trial) => trial.end > first && trial.first < first + 2 * half);
    this.#drawSpans(context, x, height, first, first + 2 * half);
    this.#drawBoundaries(context, x, height, shown);
    context.fillStyle = style("text");
    context.font = `12px ${style("font")}`;
    context.textBaseline = "middle";
    for (const { id, first: begin, end } of shown) {
      const left = Math.max(x(begin), 0) + PAD;
      const room = Math.min(x(end), width) - PAD - left;
      if (context.measureText(id).width <= room) context.fillText(id, left, height / 2);
    }
    context.fillStyle = style("accent");
    context.fillRect(width / 2 - 1, 0, 2, height);
  }

  #drawSpans(context, x, height, from, to) {
    context.fillStyle = style("tape");
    for (let i = Math.max(spanAt(this.spans, from), 0); i < this.spans.length && this.spans[i][0] < to; i++) {
      const [first, end] = this.spans[i];
      context.fillRect(x(first), 0, Math.max(x(end) - x(first), 0.5), height);
    }
  }

  #drawBoundaries(context, x, height, trials) {
    context.fillStyle = style("muted");
    for (const { first } of trials) context.fillRect(Math.round(x(first)), 0, 1, height);
  }

  /** The first selected bin of a stretch; null if there is none. */
  #selectedIn([first, end]) {
    const at = spanAt(this.spans, first);
    if (at >= 0 && this.spans[at][1] > first) return first;
    const next = this.spans[at + 1]?.[0] ?? Infinity;
    return next < end ? next : null;
  }

  /** The bin under the pointer in the near view. */
  binAt({ offsetX }) {
    const width = this.near.clientWidth;
    const half = this.#half(width);
    const bin = Math.round(this.position - half + (offsetX / width) * 2 * half);
    return Math.min(Math.max(bin, 0), this.nBins - 1);
  }

  /** Bins to either side of the position in the near view. */
  #half(width) {
    return (width / NEAR / 2) * (this.nBins / Math.max(this.trials.length, 1));
  }
}

/** A canvas in the screen's own pixels, empty. */
function fit(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = devicePixelRatio;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}
