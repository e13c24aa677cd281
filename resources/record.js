// The record of the session: start, stop, how long and large it is, and its files.

import { BASE, attempt } from "./api.js";
import { code, onFrame } from "./session.js";

const PATIENCE = 10_000; // ms
const SAID = { off: "", recording: "Recording", finishing: "Making the file…", finished: "", failed: "Failed" };
const CSV = ["bins", "predictions", "events"];

const panel = document.getElementById("record");
const button = panel.querySelector("button");
const downloads = panel.querySelector(".downloads");
let shown = null; // name of the record whose files are linked

const spell = (seconds) => `${Math.floor(seconds / 60)}:${Math.floor(seconds % 60).toString().padStart(2, "0")}`;

const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

function show(record) {
  if (!record) return;
  const { state, name, seconds, bytes, error, encrypted } = record;
  const recording = state === "recording";
  button.setAttribute("aria-pressed", recording);
  button.firstElementChild.textContent = recording ? "Stop recording" : "Record";
  const facts = [SAID[state] && (error ?? SAID[state]), name && `${spell(seconds)}, ${size(bytes)}`];
  panel.querySelector("output").textContent = facts.filter(Boolean).join(" · ");
  link(state === "finished" ? name : null, encrypted);
}

function link(name, encrypted) {
  if (name === shown) return;
  shown = name;
  downloads.hidden = name === null;
  if (name === null) return;
  const url = `${BASE}/api/records/${encodeURIComponent(name)}`;
  const files = [["NWB", `${url}.nwb`]];
  if (!encrypted) {
    files.push(["npz", `${url}.npz`]);
    for (const table of CSV) files.push([`CSV, ${table}`, `${url}.csv?table=${table}`]);
  }
  downloads.replaceChildren(
    ...files.map(([text, href]) => Object.assign(document.createElement("a"), { textContent: text, href, download: "" })),
  );
}

onFrame(({ record }) => show(record));

button.addEventListener("click", async () => {
  const method = button.getAttribute("aria-pressed") === "true" ? "DELETE" : "POST";
  button.disabled = true;
  show(await attempt(panel, method, `${BASE}/api/sessions/${code}/record`, method === "POST" ? {} : undefined, { patience: PATIENCE }));
  button.disabled = false;
});
