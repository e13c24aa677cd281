// The home page: what is replayed, and by which sessions.

import { BASE, Refused, attempt, call, refuse } from "./api.js";
import "./create.js";
import { LOST, tell, untell } from "./notice.js";

const PERIOD = 1000; // ms between looks at the sessions
const PATIENCE = 60_000; // ms: a recording may have to be read first

const $ = (id) => document.getElementById(id);

function spell(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${String(minutes).padStart(2, "0")}:${Math.floor(seconds % 60).toString().padStart(2, "0")}`;
}

const plural = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

function entries(list, pairs) {
  list.replaceChildren(
    ...pairs.map(([term, text]) => {
      const entry = document.createElement("div");
      for (const [name, content] of [["dt", term], ["dd", text]]) {
        entry.appendChild(document.createElement(name)).textContent = content;
      }
      return entry;
    }),
  );
}

// The recording

async function showRecording(name) {
  const panel = $("recording");
  const query = `?recording=${encodeURIComponent(name)}`;
  $("title-recording").textContent = name;
  panel.querySelector("[data-explore]").search = query;
  panel.setAttribute("aria-busy", "true");
  for (const list of panel.querySelectorAll("dl")) list.replaceChildren();
  const facts = await attempt(panel, "GET", `${BASE}/api/metadata${query}`, undefined, { patience: PATIENCE });
  if ($("title-recording").textContent !== name) return; // another has been chosen meanwhile
  panel.setAttribute("aria-busy", "false");
  panel.querySelector("[data-synthetic]").hidden = !facts?.synthetic;
  const warnings = panel.querySelector("[data-warnings]");
  warnings.hidden = !facts?.warnings.length;
  warnings.replaceChildren(
    ...(facts?.warnings ?? []).map((text) => Object.assign(document.createElement("li"), { textContent: text })),
  );
  if (!facts) return;
  entries(panel.querySelector("[data-facts]"), [
    ["Units", facts.num_channels],
    ["Length", spell(facts.duration_seconds)],
    ["Trials", facts.num_trials],
    ["Targets in a trial", facts.num_targets],
    ["Bins", `${facts.bin_size_ms} ms`],
    ["Lengths in", facts.length_unit],
  ]);
  const chosen = ["position", "velocity"].map((what) => {
    const { name: series, how } = facts.series[what] ?? {};
    return [`${what[0].toUpperCase()}${what.slice(1)} from`, series ? `${series}${how ? ` (${how})` : ""}` : "nothing"];
  });
  const { taken, passed_over: tables } = facts.trial_tables;
  if (taken) chosen.push(["Trials from", `${taken.name} (${taken.how})`]);
  const passed = [...facts.series.passed_over, ...tables].map(({ name: series, reason }) => `${series}: ${reason}`);
  entries(panel.querySelector("[data-series]"), [...chosen, ["Passed over", passed.join("\n") || "nothing"]]);
}

$("which-recording")?.addEventListener("change", ({ target }) => showRecording(target.value));
showRecording($("which-recording")?.value ?? $("title-recording").textContent);

// The sessions

const rows = new Map();

function listeners({ active_connections: decoders, pages, lsl_listened: lsl }) {
  const parts = [decoders && plural(decoders, "decoder"), pages && plural(pages, "page"), lsl && "LSL"];
  return parts.filter(Boolean).join(", ") || "none";
}

function fillRow(row, code, session) {
  const set = (selector, text) => {
    const element = row.querySelector(selector);
    if (element.textContent !== text) element.textContent = text;
  };
  row.dataset.state = session.state;
  row.dataset.decoders = session.active_connections;
  set("[data-name]", code);
  row.querySelector("[data-name]").href = `${BASE}/live?session=${code}`;
  set(".state", session.state);
  row.querySelector(".state").title = session.error ?? "";
  set("[data-recording]", session.recording);
  const whole = session.duration_seconds; // a live stream has none
  set("[data-position]", spell(session.position_seconds) + (whole ? ` / ${spell(whole)}` : ""));
  row.querySelector("progress").hidden = !whole;
  if (whole) row.querySelector("progress").value = session.position_seconds / whole;
  set("[data-speed]", session.speed === "max" ? "max" : `${session.speed}×`);
  set("[data-listeners]", listeners(session));
  set("[data-dropped]", session.dropped_packets.toLocaleString("en"));
}

function makeRow(code) {
  const row = $("session").content.cloneNode(true).firstElementChild;
  row.dataset.code = code;
  const button = row.querySelector("[data-delete]");
  button.setAttribute("aria-label", `Delete ${code}`);
  button.addEventListener("click", () => confirmDelete(code, Number(row.dataset.decoders)));
  return $("sessions").appendChild(row);
}

function show(sessions) {
  for (const [code, row] of rows) {
    if (code in sessions) continue;
    row.remove();
    rows.delete(code);
  }
  for (const [code, session] of Object.entries(sessions)) {
    if (!rows.has(code)) rows.set(code, makeRow(code));
    fillRow(rows.get(code), code, session);
  }
  document.querySelector(".sessions").hidden = rows.size === 0;
  $("none").hidden = rows.size > 0;
  $("loading").hidden = true;
}

let shown = "[]"; // of other machines

function showElsewhere(elsewhere) {
  const now = JSON.stringify(elsewhere);
  if (now === shown) return;
  shown = now;
  const panel = $("elsewhere");
  panel.hidden = elsewhere.length === 0;
  panel.querySelector("tbody").replaceChildren(
    ...elsewhere.map((session) => {
      const row = $("far").content.cloneNode(true).firstElementChild;
      const name = row.querySelector("[data-name]");
      name.href = session.dashboard_url;
      name.textContent = session.code;
      row.querySelector("[data-recording]").textContent = session.recording;
      row.querySelector("[data-server]").textContent = session.server;
      row.querySelector("[data-stream]").textContent = session.binary_url;
      return row;
    }),
  );
}

async function refresh() {
  try {
    const { sessions, stats, elsewhere } = await call("GET", `${BASE}/api/sessions`);
    show(sessions);
    showElsewhere(elsewhere);
    $("count").textContent = `${rows.size} of at most ${stats.max_sessions}`;
    untell("lost");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    tell(LOST, "lost");
  }
}

async function keepFresh() {
  await refresh();
  setTimeout(keepFresh, PERIOD);
}

keepFresh();

// Deletion

const dialog = $("confirm");

function confirmDelete(code, decoders) {
  $("confirm-title").textContent = `Delete ${code}?`;
  $("confirm-text").textContent = decoders
    ? `${plural(decoders, "decoder")} will be cut off.`
    : "Its replay ends, and pages that show it say so.";
  refuse(dialog);
  dialog.querySelector("[data-yes]").onclick = async () => {
    const force = decoders > 0 ? "?force=true" : "";
    if (!(await attempt(dialog, "DELETE", `${BASE}/api/sessions/${code}${force}`))) return;
    dialog.close();
    refresh();
  };
  dialog.showModal();
}
