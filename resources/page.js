// @ts-check
// What every page has: the way between pages, cards that stay as they were left, copying, sessions.

import { BASE, call, element, refuse } from "./rest.js";

const LAST = "phantomdeck-session";

export const storage = {
  /** @param {string} key */
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage may be forbidden
    }
  },
  /** @param {string} key @param {string} value */
  set(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // as above
    }
  },
};

function showWhere() {
  const { session } = document.body.dataset;
  if (session) storage.set(LAST, session);
  const last = storage.get(LAST);
  const lastPage = `${BASE}/live?session=${encodeURIComponent(last ?? "")}`;
  if (last && location.pathname === `${BASE}/live` && !location.search) location.replace(lastPage);
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll(".top nav a"))) {
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
    if ("lastSession" in link.dataset && last) link.href = lastPage;
  }
}

/** Cards stay open or closed as they were left; on a narrow screen they begin closed. Python fills open ones. */
function rememberCards() {
  for (const card of /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("[data-card]"))) {
    const key = `phantomdeck-panel-${card.id}`;
    const was = storage.get(key);
    card.open = was === null ? card.open && innerWidth > 700 : was === "open";
    card.addEventListener("toggle", () => {
      storage.set(key, card.open ? "open" : "closed");
      if (card.open) document.dispatchEvent(new CustomEvent("deck:ask", { detail: { open: card.id } }));
    });
  }
}

/** @param {string} code */
async function create(code) {
  const made = await call("POST", "/api/sessions", code ? { custom_code: code } : {});
  if (made) location.assign(`${BASE}/live?session=${made.session_code}`);
}

/** @param {HTMLElement} button */
async function copy(button) {
  const source = /** @type {any} */ (button.getRootNode()).getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
  } catch {
    // Without https only localhost has a clipboard: select and copy the old way.
    getSelection()?.selectAllChildren(source);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

document.addEventListener("click", (event) => {
  const [target] = event.composedPath(); // which may be in a shadow root
  const button = target instanceof Element && target.closest("button");
  if (!button) return;
  if (button.dataset.copy) copy(button);
  else if (button.dataset.paper !== undefined) print();
  else if (button.dataset.create !== undefined) create(button.dataset.create);
  else if (button.closest("#refusal")) refuse("");
});

showWhere();
rememberCards();
if (element("panel") && !document.body.dataset.session) (await import("./panel.js")).begin();
