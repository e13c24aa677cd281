// @ts-check
// The recording as a tape, as one of Panel's components: its trials, those that are selected, and the way
// to them. It also hands to Python what the page asks for ("deck:ask"): Python decides.

const NEAR = 44; // pixels of a trial in the near view: its id can be read
const PAD = 5; // pixels to either side of an id
const READABLE = 3; // pixels between trials from which on their boundaries are drawn

/** @param {string} name */
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);

/** @typedef {CanvasRenderingContext2D} Context */
/** @typedef {(bin: number) => number} Scale Pixels from the left. */

/** @param {{ model: any }} page */
export function render({ model }) {
  const { n_bins: nBins, bin_rate: binRate } = model.recording;
  const /** @type {Span[]} */ trials = model.recording.trials;
  const near = Object.assign(document.createElement("canvas"), { id: "near", title: "The trials around the position. Click to go there." });
  const whole = Object.assign(document.createElement("canvas"), { id: "whole" });
  const slider = Object.assign(document.createElement("input"), { id: "position", type: "range", min: "0", max: `${nBins - 1}`, step: "1", value: "0" });
  const holder = Object.assign(document.createElement("div"), { className: "tape-holder" });
  slider.setAttribute("aria-label", "Position");
  for (const canvas of [near, whole]) canvas.setAttribute("aria-hidden", "true");
  holder.append(near, whole, slider);
  let position = 0;
  let dragging = false;

  const trialAt = (/** @type {number} */ bin) => trials.findLast(([, first, end]) => first <= bin && bin < end);
  const send = (/** @type {object} */ asked) => model.send_msg(asked);

  function draw() {
    const { context, width, height } = fit(whole);
    const /** @type {Scale} */ x = (bin) => (bin / nBins) * width;
    drawSpans(context, x, height, 0, nBins);
    if (width / trials.length >= READABLE) drawBoundaries(context, x, height, trials);
    drawFailures(context, x, height);
    drawMarks(context, x, height);
    drawNear();
  }

  /** Bins to either side of the position in the near view. @param {number} width */
  const half = (width) => (width / NEAR / 2) * (nBins / Math.max(trials.length, 1));

  function drawNear() {
    const { context, width, height } = fit(near);
    const bins = half(width);
    const /** @type {Scale} */ x = (bin) => ((bin - position + bins) / (2 * bins)) * width;
    const shown = trials.filter(([, first, end]) => end > position - bins && first < position + bins);
    drawSpans(context, x, height, position - bins, position + bins);
    drawBoundaries(context, x, height, shown);
    context.fillStyle = style("text");
    context.font = `12px ${style("font")}`;
    context.textBaseline = "middle";
    for (const [id, first, end] of shown) {
      const left = Math.max(x(first), 0) + PAD;
      if (context.measureText(`${id}`).width <= Math.min(x(end), width) - PAD - left) context.fillText(`${id}`, left, height / 2);
    }
    drawFailures(context, x, height);
    drawMarks(context, x, height);
    context.fillStyle = style("accent");
    context.fillRect(width / 2 - 1, 0, 2, height);
    drawCurrent(context, width / 2, height);
  }

  /** @param {Context} context @param {Scale} x @param {number} height @param {number} from @param {number} to */
  function drawSpans(context, x, height, from, to) {
    context.fillStyle = style("tape");
    for (const [first, end] of model.spans) {
      if (end > from && first < to) context.fillRect(x(first), 0, Math.max(x(end) - x(first), 0.5), height);
    }
  }

  /** @param {Context} context @param {Scale} x @param {number} height @param {Span[]} shown */
  function drawBoundaries(context, x, height, shown) {
    context.fillStyle = style("muted");
    for (const [, first] of shown) context.fillRect(Math.round(x(first)), 0, 1, height);
  }

  /** The number of the trial at the position, whether there is room or not. @param {Context} context @param {number} left @param {number} height */
  function drawCurrent(context, left, height) {
    const [id] = trialAt(position) ?? [""];
    holder.dataset.trial = `${id}`;
    if (id === "") return;
    context.font = `bold 12px ${style("font")}`;
    context.textBaseline = "middle";
    context.fillStyle = style("key");
    context.fillRect(left, 0, context.measureText(`${id}`).width + 2 * PAD, height);
    context.fillStyle = style("on-key");
    context.fillText(`${id}`, left + PAD, height / 2);
  }

  /** Errors as a strip, the greatest opaque; failures below it. @param {Context} context @param {Scale} x @param {number} height */
  function drawFailures(context, x, height) {
    context.fillStyle = style("accent");
    for (const [i, share] of model.errors) {
      const [, first, end] = trials[i];
      context.globalAlpha = 0.1 + 0.9 * share;
      context.fillRect(x(first), height - 8, Math.max(x(end) - x(first), 1), 4);
    }
    context.globalAlpha = 1;
    context.fillStyle = style("bad");
    for (const [, first, end] of model.failures.map((/** @type {number} */ i) => trials[i])) {
      context.fillRect(x(first), height - 4, Math.max(x(end) - x(first), 1), 4);
    }
  }

  /** @param {Context} context @param {Scale} x @param {number} height */
  function drawMarks(context, x, height) {
    context.font = `10px ${style("font")}`;
    context.textBaseline = "top";
    for (const [bin, text, role] of model.marks) {
      context.fillStyle = style(role);
      context.fillRect(Math.round(x(bin)), 0, 2, height);
      context.fillText(text, x(bin) + 4, 1);
    }
  }

  /** @param {number} bin */
  function say(bin) {
    const tenths = Math.floor((10 * bin) / binRate);
    const clock = `${String(Math.floor(tenths / 600)).padStart(2, "0")}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
    const trial = trialAt(bin);
    slider.setAttribute("aria-valuetext", clock + (trial ? `, trial ${trial[0]}` : ""));
  }

  // A drag is one seek, when it ends.
  slider.addEventListener("input", () => {
    dragging = true;
    position = Number(slider.value);
    say(position);
    drawNear();
  });
  slider.addEventListener("change", () => send({ seek: Number(slider.value) }));
  for (const end of ["change", "pointerup", "pointercancel", "blur"]) slider.addEventListener(end, () => (dragging = false));
  near.addEventListener("click", ({ offsetX }) => {
    const bins = half(near.clientWidth);
    const bin = Math.round(position - bins + (offsetX / near.clientWidth) * 2 * bins);
    send({ seek: Math.min(Math.max(bin, 0), nBins - 1) });
  });

  const onFrame = (/** @type {CustomEvent<Header>} */ { detail: { packet_id: bin, start } }) => {
    if ((bin === position && !start) || dragging) return;
    position = bin;
    slider.value = `${bin}`;
    drawNear();
  };
  const onAsk = (/** @type {CustomEvent<Record<string, any>>} */ { detail }) => send(detail.key ? { ...detail, at: position } : detail);
  const onTheme = () => {
    draw();
    send({ theme: document.documentElement.dataset.theme });
  };
  const /** @type {Record<string, any>} */ listeners = { "deck:frame": onFrame, "deck:ask": onAsk, "deck:theme": onTheme };
  for (const [name, listener] of Object.entries(listeners)) document.addEventListener(name, listener);
  const speaking = setInterval(() => dragging || say(position), 1000); // for screen readers, in no hurry
  const resized = new ResizeObserver(draw);
  resized.observe(whole);
  model.on("remove", () => {
    for (const [name, listener] of Object.entries(listeners)) document.removeEventListener(name, listener);
    clearInterval(speaking);
    resized.disconnect();
  });
  for (const drawn of ["spans", "marks", "failures", "errors"]) model.on(drawn, draw);
  model.on("flags", () => Object.assign(document.body.dataset, model.flags));
  send({ theme: document.documentElement.dataset.theme });
  if (document.body.dataset.view !== "monitor") send({ layout: document.body.dataset.view });
  for (const card of document.querySelectorAll("[data-card][open]")) send({ open: card.id });
  document.body.dataset.controls = "ready";
  return holder;
}

/** A canvas in the screen's own pixels, empty. @param {HTMLCanvasElement} canvas */
function fit(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = devicePixelRatio;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const context = /** @type {Context} */ (canvas.getContext("2d"));
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}
