// What every page has: the way between pages, buttons that copy, buttons that create a session.

import { BASE, Refused, call } from "./api.js";
import { tell } from "./notice.js";

const LAST = "phantomdeck-session";
const PATIENCE = 60_000; // ms: a recording may have to be read first

const storage = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage may be forbidden
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // as above
    }
  },
};

function showWhere() {
  const session = document.body.dataset.session;
  if (session) storage.set(LAST, session);
  const last = storage.get(LAST);
  const lastPage = `${BASE}/live?session=${encodeURIComponent(last ?? "")}`;
  if (last && location.pathname === `${BASE}/live` && !location.search) location.replace(lastPage);
  for (const link of document.querySelectorAll(".top nav a")) {
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
    if ("lastSession" in link.dataset && last) link.href = lastPage;
  }
}

/** Panels stay open or closed as they were left; on a narrow screen they begin closed. */
function rememberPanels() {
  for (const panel of document.querySelectorAll("details.panel")) {
    const key = `phantomdeck-panel-${panel.id}`;
    const was = storage.get(key);
    panel.open = was === null ? panel.open && innerWidth > 700 : was === "open";
    panel.addEventListener("toggle", () => storage.set(key, panel.open ? "open" : "closed"));
  }
}

async function create(code) {
  try {
    const { session_code } = await call("POST", `${BASE}/api/sessions`, code ? { custom_code: code } : {}, { patience: PATIENCE });
    location.assign(`${BASE}/live?session=${session_code}`);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    tell(error.message, "refused");
  }
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
  } catch {
    // Without https only localhost has a clipboard: select and copy the old way.
    getSelection().selectAllChildren(source);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (button?.dataset.copy) copy(button);
  else if (button?.dataset.create !== undefined) create(button.dataset.create);
});

showWhere();
rememberPanels();
