// Pictures and the report: downloaded or opened, as the server draws them.

import { BASE, attempt } from "./api.js";
import { code } from "./session.js";

const PATIENCE = 60_000; // ms: the process that draws may have to start first

const panel = document.getElementById("pictures");
const form = panel.querySelector("form");
const { format, plots, seconds, theme } = form.elements;
const open = document.getElementById("open-picture");
const drawing = document.getElementById("drawing");

function address() {
  const query = new URLSearchParams({ seconds: seconds.value, theme: theme.value });
  if (plots.value) query.set("plots", plots.value);
  return `${BASE}/api/sessions/${code}/snapshot.${format.value}?${query}`;
}

async function download(url, name) {
  drawing.hidden = false;
  const read = (answer) => answer.blob();
  const blob = await attempt(panel, "GET", url, undefined, { patience: PATIENCE, read });
  drawing.hidden = true;
  if (blob === null) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  download(address(), `${code}${plots.value && `-${plots.value}`}.${format.value}`);
});
document.getElementById("report").addEventListener("click", () => {
  if (seconds.reportValidity()) download(`${BASE}/api/sessions/${code}/report.html?seconds=${seconds.value}`, `${code}-report.html`);
});

theme.value = document.documentElement.dataset.theme;
document.addEventListener("deck:theme", () => (theme.value = document.documentElement.dataset.theme));
const refresh = () => (open.href = address());
for (const event of ["change", "input"]) form.addEventListener(event, refresh);
document.addEventListener("deck:theme", refresh);
refresh();
