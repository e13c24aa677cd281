// The Calibrate page: orders runs, follows the one under way, and shows the result of one.

import { BASE, Refused, attempt, call, refuse } from "./api.js";
import { parseIds } from "./ids.js";
import { LOST, tell, untell } from "./notice.js";

const SOON = 400; // ms between looks at a run under way
const LATER = 5000; // ms between looks at the list while there is none
const PATIENCE = 60_000; // ms: a recording may have to be read first, the process that draws may have to start

const from = new URLSearchParams(location.search); // the session's page leads here with its code and recording
const $ = (id) => document.getElementById(id);
const form = $("order");
const panel = $("run");
const runs = new Map(); // by id, oldest first
let shown = null; // id

const plural = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
const isUnderWay = (run) => run.state === "fitting" || run.state === "testing";
const r2 = (value) => (value === null ? "–" : value.toFixed(3));
const rmse = (value) => (value === null ? "–" : value.toPrecision(3));
const label = (run) => run.decoder.replace("_", " ");

// The order

function hyperparameters() {
  return form.querySelector(`fieldset[data-decoder="${form.elements.decoder.value}"]`);
}

function showHyperparameters() {
  for (const each of form.querySelectorAll("fieldset")) each.hidden = each.disabled = each !== hyperparameters();
}

function order() {
  const { recording, decoder, share, seed, train_trials: train, test_trials: test } = form.elements;
  const numbers = [...hyperparameters().querySelectorAll("input")].filter((each) => each.value !== each.defaultValue);
  return {
    recording: recording?.value ?? null,
    decoder: decoder.value,
    settings: Object.fromEntries(numbers.map((each) => [each.dataset.name, each.valueAsNumber])),
    train_share: share.valueAsNumber / 100,
    train_trials: parseIds(train.value),
    test_trials: parseIds(test.value),
    seed: seed.valueAsNumber,
  };
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  let chosen;
  try {
    chosen = order();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    refuse(form, error.message);
    return;
  }
  const button = form.querySelector("button");
  button.disabled = true;
  const run = await attempt(form, "POST", `${BASE}/api/calibrations`, chosen, { patience: PATIENCE });
  button.disabled = false;
  if (!run) return;
  runs.set(run.id, run);
  show(run.id);
  look();
});

if (form.elements.recording && from.has("recording")) form.elements.recording.value = from.get("recording");
form.elements.decoder.addEventListener("change", showHyperparameters);
showHyperparameters();

// One run

function step(run) {
  if (run.state === "fitting") return `Fitting ${label(run)} to ${plural(run.split.train_trials.length, "trial")} …`;
  const levels = [...$("table").children].map((row) => row.dataset.level);
  return `Testing it frozen on ${plural(run.split.test_trials.length, "trial")}: ${levels[run.table.length] ?? "done"} …`;
}

function spellSplit({ split, fit_seconds: seconds }) {
  const [train, test] = ["train", "test"].map(
    (part) => `${plural(split[`${part}_trials`].length, "trial")} (${plural(split[`${part}_bins`], "bin")})`,
  );
  const fitted = seconds === null ? "" : ` Fitted in ${seconds.toPrecision(2)} s.`;
  return `Learned from ${train}, over ${plural(split.targets.length, "target position")}; tested on ${test}. Checked: no trial and no bin is in both, and no bin looks back out of its part.${fitted}`;
}

function fillTable(run) {
  for (const span of panel.querySelectorAll("[data-unit]")) span.textContent = `(${run.length_unit})`;
  for (const span of panel.querySelectorAll("[data-per-second]")) span.textContent = `(${run.length_unit}/s)`;
  [...$("table").children].forEach((row, i) => {
    const level = run.table[i];
    const texts = level
      ? [
          r2(level.r2_velocity.mean),
          r2(level.r2_position.mean),
          rmse(level.rmse_velocity.mean),
          rmse(level.rmse_position.mean),
          `${Math.round(100 * level.coverage)} %`,
        ]
      : Array(5).fill("…");
    [...row.querySelectorAll("td")].forEach((cell, j) => (cell.textContent = texts[j]));
  });
}

/** Fill the panel with what is known of the run that is shown, or say that there is none. */
function fill() {
  const run = runs.get(shown);
  panel.setAttribute("aria-busy", String(Boolean(run && isUnderWay(run))));
  panel.dataset.state = run?.state ?? "none";
  $("loading").hidden = true;
  $("none").hidden = Boolean(run);
  $("progress").hidden = !run || !isUnderWay(run);
  $("result").hidden = !run?.fit_seconds || run.state === "failed";
  $("done").hidden = run?.state !== "done";
  $("title-run").textContent = run ? `Calibration ${run.id}` : "Result";
  $("subject").textContent = run ? `${label(run)} on ${run.recording}, seed ${run.seed}` : "";
  refuse(panel, run?.error ?? "");
  if (!run) return;
  $("step").textContent = step(run);
  const bar = panel.querySelector("progress");
  if (run.progress > 0) bar.value = run.progress;
  else bar.removeAttribute("value");
  $("split").textContent = spellSplit(run);
  fillTable(run);
  if (run.state !== "done") return;
  for (const link of panel.querySelectorAll("[data-file]")) link.href = `${BASE}/api/calibrations/${run.id}/${link.dataset.file}`;
  panel.querySelector('[data-file="model.npz"]').download = run.model_file;
  $("note").textContent = run.note;
  $("command").textContent = from.has("session") ? run.command.replace("CODE", from.get("session")) : run.command;
  draw(run.id);
}

let drawn = ""; // address of the figure that is there, or on its way

async function draw(id) {
  const image = panel.querySelector("img");
  const waiting = panel.querySelector(".figure .empty");
  const width = Math.min(Math.max(Math.floor(image.parentElement.clientWidth), 300), 1100);
  const url = `${BASE}/api/calibrations/${id}/figure.svg?theme=${document.documentElement.dataset.theme}&width=${width}`;
  if (url === drawn) return;
  drawn = url;
  image.hidden = true;
  waiting.hidden = false;
  waiting.textContent = "Drawing …";
  try {
    const blob = await call("GET", url, undefined, { patience: PATIENCE, read: (answer) => answer.blob() });
    if (url !== drawn) return; // another one is asked for meanwhile
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(blob);
    image.hidden = false;
    waiting.hidden = true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (url !== drawn) return;
    waiting.textContent = error.message;
    drawn = "";
  }
}

const redraw = () => runs.get(shown)?.state === "done" && draw(shown);
let resized;
document.addEventListener("deck:theme", redraw);
addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(redraw, 300);
});

$("cancel").addEventListener("click", () => forget(shown));

function show(id) {
  shown = id;
  fill();
  fillList();
}

// All runs

function entry(run) {
  const row = $("entry").content.cloneNode(true).firstElementChild;
  const link = row.querySelector("[data-name]");
  link.textContent = run.id;
  link.href = `#${run.id}`;
  if (run.id === shown) row.setAttribute("aria-current", "true");
  row.querySelector("[data-decoder]").textContent = `${label(run)} on ${run.recording}`;
  row.querySelector("[data-trials]").textContent = `${run.split.train_trials.length} / ${run.split.test_trials.length}`;
  for (const cell of row.querySelectorAll("[data-r2]")) {
    const level = run.table[Number(cell.dataset.r2)];
    cell.textContent = level ? r2(level.r2_velocity.mean) : run.state === "failed" ? "failed" : "…";
  }
  const button = row.querySelector("[data-forget]");
  button.setAttribute("aria-label", `Delete calibration ${run.id}`);
  button.addEventListener("click", () => forget(run.id));
  return row;
}

function fillList() {
  $("earlier").hidden = runs.size < 2;
  $("runs").replaceChildren(...[...runs.values()].reverse().map(entry));
}

async function forget(id) {
  const gone = await attempt(panel, "DELETE", `${BASE}/api/calibrations/${id}`);
  if (!gone) return;
  runs.delete(id);
  show(shown === id ? ([...runs.keys()].at(-1) ?? null) : shown);
}

// `#3` in the address shows run 3.
addEventListener("hashchange", () => runs.has(Number(location.hash.slice(1))) && show(Number(location.hash.slice(1))));

async function refresh() {
  const busy = [...runs.values()].find(isUnderWay);
  if (busy) {
    const run = await call("GET", `${BASE}/api/calibrations/${busy.id}`);
    runs.set(run.id, run);
    if (!isUnderWay(run)) fillList();
  } else {
    const { calibrations } = await call("GET", `${BASE}/api/calibrations`);
    const before = [...runs.keys()].join();
    runs.clear();
    for (const run of calibrations) runs.set(run.id, run);
    const asked = Number(location.hash.slice(1));
    if (!runs.has(shown)) shown = runs.has(asked) ? asked : ([...runs.keys()].at(-1) ?? null);
    if (before !== [...runs.keys()].join() || panel.dataset.state === "loading") fillList();
  }
  fill();
}

let timer;

async function look() {
  clearTimeout(timer);
  try {
    await refresh();
    untell("lost");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    runs.clear(); // ask for all of them when it is back
    tell(LOST, "lost");
  }
  clearTimeout(timer);
  timer = setTimeout(look, [...runs.values()].some(isUnderWay) ? SOON : LATER);
}

look();
