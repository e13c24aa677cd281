// @ts-check
// Panel's part of a page: its scripts, its document, and what Python tells this one visitor.

import { BASE, LOST, element, refuse, tell } from "./rest.js";

// What Panel imports components with: the browser's own way does, as none of ours maps names.
window.importShim = Object.assign((/** @type {string} */ url) => import(url), { addImportMap() {} });

/** @type {Promise<void> | undefined} */
let begun;

/** Load Panel and put its objects in their places: once, whoever asks. */
export const begin = () => (begun ??= embed());

async function embed() {
  const { scripts, item } = JSON.parse(/** @type {any} */ (document.getElementById("panel")).textContent);
  if (!item.root_ids.length) return;
  await Promise.all(scripts.map(load));
  await window.Bokeh.embed.embed_items({}, [item]);
  if (document.body.dataset.session) {
    // Its feed tells how the server is, its tape that Python listens.
    const gone = () => (document.body.dataset.controls = "lost");
    for (const shown of window.Bokeh.documents) shown.on_event("connection_lost", gone);
    return;
  }
  for (const shown of window.Bokeh.documents) shown.on_event("connection_lost", lost);
  document.body.dataset.controls = "ready";
}

/** Python has forgotten a page whose server was away: load it again when that is back. */
async function lost() {
  if (element("notice").dataset.kind === "lost") return;
  tell(LOST, "lost");
  // A server that is going may still answer once.
  for (let well = 0; well < 2; ) {
    await new Promise((done) => setTimeout(done, 1000));
    well = (await fetch(`${BASE}/health`).catch(() => null))?.ok ? well + 1 : 0;
  }
  location.reload();
}

/** @param {string} src */
function load(src) {
  return new Promise((done, fail) => {
    const script = Object.assign(document.createElement("script"), { src, async: false, onload: done, onerror: fail });
    document.head.append(script);
  });
}

/** Bokeh writes a slider's name beside it: who does not see that hears it with the handle. @param {ParentNode} root */
function nameSliders(root) {
  for (const { shadowRoot } of root.querySelectorAll(".widgets *, [class^=bk-]:not(.bk-Figure)")) {
    if (!shadowRoot) continue;
    const title = shadowRoot.querySelector(".bk-slider-title")?.textContent;
    if (title) shadowRoot.querySelector(".noUi-handle")?.setAttribute("aria-label", title.replace(/:.*/, ""));
    nameSliders(shadowRoot);
  }
}

for (const moved of ["focusin", "keyup"]) document.addEventListener(moved, () => nameSliders(document.body));

document.addEventListener("deck:notice", ({ detail: { text, save: name, content, go, copy } }) => {
  if (go) location.assign(go);
  else if (copy) navigator.clipboard?.writeText(copy).catch(() => {}); // it is shown, too
  else if (name) save(name, content);
  else refuse(text);
});

/** @param {string} name @param {ArrayBuffer} content */
function save(name, content) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([content])), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
