// The keyboard, where nobody is typing and no control has the key itself.

import { actions } from "./transport.js";

const session = document.getElementById("session");
const help = document.getElementById("keys-help");
const present = document.getElementById("present");

const showKeys = () => help.showModal();

function togglePresent() {
  const { dataset } = document.documentElement;
  dataset.type = dataset.type === "large" ? "" : "large";
  present.setAttribute("aria-pressed", dataset.type === "large");
  document.dispatchEvent(new CustomEvent("deck:theme"));
}

const KEYS = {
  " ": actions.toggle,
  ".": actions.step,
  ArrowLeft: () => actions.seconds(-1),
  ArrowRight: () => actions.seconds(1),
  "Shift+ArrowLeft": () => actions.trials(-1),
  "Shift+ArrowRight": () => actions.trials(1),
  "+": () => actions.faster(2),
  "-": () => actions.faster(0.5),
  Home: actions.begin,
  r: () => document.querySelector("#record button").click(),
};
const ALWAYS = { p: togglePresent, "?": showKeys }; // without a session too

// Which keys belong to whom: those who type have all, a button has Space, tabs have the arrows.
const TYPING = "input:not([type=checkbox], [type=range]), select, textarea, [contenteditable], dialog *";
const OWN = [
  ["button, a, summary, [type=checkbox]", [" "]],
  ["[type=range]", ["ArrowLeft", "ArrowRight", "Home", "Shift+ArrowLeft", "Shift+ArrowRight"]],
  ["[role=tab]", ["ArrowLeft", "ArrowRight", "Home"]],
  ["pre", ["ArrowLeft", "ArrowRight", "Home"]],
];

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const key = event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key;
  const known = session.disabled ? ALWAYS : { ...KEYS, ...ALWAYS };
  const action = known[key] ?? known[key.toLowerCase()];
  const { target } = event;
  if (!action || target.matches(TYPING) || OWN.some(([who, keys]) => target.matches(who) && keys.includes(key))) return;
  event.preventDefault();
  action();
});

document.getElementById("keys").addEventListener("click", showKeys);
present.addEventListener("click", togglePresent);
