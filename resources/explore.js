// The Explore page: figures from the page itself, what they show from the server.
//
// Figures come without data and belong to the page. The session that Panel holds for it has one model, the
// channel (dashboard/explore/page.py): the page writes there what it asks for, and the server answers with
// columns, ranges and texts of whatever that changes.

import { Plots } from "./plots.js";

const NEAR = 12; // pixels from a path that still touch it
const LOST = "Lost the server. What is shown stays; to change it, load the page again.";

const $ = (selector) => document.querySelector(selector);
const $$ = (selector) => document.querySelectorAll(selector);
const body = document.body;
const form = $("#settings");
const at = (object, key) => (object instanceof Map ? object.get(key) : object[key]);
const entries = (object) => (object instanceof Map ? [...object] : Object.entries(object ?? {}));
const plain = (object) => Object.fromEntries(entries(object));

function notice(text, reload) {
  $("#notice").hidden = text === "";
  $("#notice-text").textContent = text;
  $("#reload").hidden = !reload;
}

/** Show what the server told. */
function show(told, plots) {
  notice(at(told, "error"), false);
  for (const [name, value] of entries(at(told, "settings"))) {
    const control = form.elements[name];
    if (control && document.activeElement !== control) control.value = value;
  }
  if (at(told, "error")) return;
  for (const [name, columns] of entries(at(told, "sources"))) plots.named.get(name).data = plain(columns);
  for (const [name, properties] of entries(at(told, "models"))) plots.named.get(name).setv(plain(properties));
  for (const [name, text] of entries(at(told, "captions"))) $(`[data-caption="${name}"]`).textContent = text;
  for (const [name, text] of entries(at(told, "messages"))) $(`[data-message="${name}"]`).textContent = text;
  $("[data-count]").textContent = at(told, "count");
  $("[data-note]").textContent = at(told, "note");
  showLegend([...at(told, "legend")].map(plain), plots.roles);
}

function showLegend(groups, roles) {
  const legend = $("#legend");
  while (legend.children.length > groups.length) legend.lastElementChild.remove();
  groups.forEach(({ label, n, chosen }, i) => {
    const button = legend.children[i] ?? legend.appendChild($("#group").content.cloneNode(true).firstElementChild);
    const [swatch, name, count] = button.children;
    swatch.style.background = roles[document.documentElement.dataset.theme].groups[i];
    name.textContent = name.title = label;
    count.textContent = n;
    button.setAttribute("aria-pressed", chosen);
    button.classList.toggle("none", n === 0);
  });
}

/** What people do, as wishes. */
function listen(ask, plots) {
  document.addEventListener("change", ({ target }) => {
    if (target.form !== form || !target.name || !target.reportValidity()) return;
    const isText = ["trials", "event", "split"].includes(target.name);
    ask({ settings: { [target.name]: isText ? target.value : Number(target.value) } });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  $("#all").addEventListener("click", () => ask({ settings: { trials: "" } }));
  $("#legend").addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button) ask({ group: [...button.parentElement.children].indexOf(button) });
  });
  const on = (name, event, respond) => plots.named.get(name).on_event(event, respond);
  on("paths", "selectiongeometry", ({ geometry, final }) => {
    if (final && geometry.type === "rect") ask({ box: [geometry.x0, geometry.x1, geometry.y0, geometry.y1] });
  });
  const onTap = (name, respond) => {
    on(name, "tap", respond);
    on(name, "doubletap", respond); // what Bokeh makes of a second tap that comes soon
  };
  onTap("paths", ({ x, y }) => {
    const { start, end } = plots.named.get("paths").x_range;
    const perPixel = (end - start) / $('[data-plot="paths"]').clientWidth;
    ask({ path: [x, y, NEAR * Math.abs(perPixel)] });
  });
  onTap("raster", ({ y }) => ask({ row: Math.floor(y) }));
  onTap("preferred", ({ x, y }) => ask({ tip: [x, y] }));
}

async function start() {
  const deck = JSON.parse($("#deck").textContent);
  const token = JSON.parse($("#token").textContent);
  const { Document } = Bokeh.require("document");
  const { pull_session } = Bokeh.require("client/connection");
  const url = new URL("explore/ws", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const pulled = pull_session(url.href, token, location.search.substring(1));

  const figures = Document.from_json(deck.document);
  const plots = new Plots(deck.roles);
  plots.add("explore", figures);
  plots.paint();
  const { document: shared } = await pulled;
  const channel = shared.roots()[0];
  let told = channel.told;
  show(told, plots); // before the first painting: a plot is painted once, with its data
  const places = figures.roots().map((root) => $(`[data-plot="${root.name}"]`));
  await Bokeh.embed.add_document_standalone(figures, body, places);
  body.dataset.connection = "open";
  performance.mark("explore:shown");

  let wishes = 0;
  const ask = (wish) => {
    wishes += 1;
    body.dataset.busy = "";
    channel.asked = JSON.stringify({ ...wish, wish: wishes });
  };
  channel.properties.told.change.connect(() => {
    told = channel.told;
    show(told, plots);
    if (at(told, "wish") === wishes) delete body.dataset.busy;
  });
  document.addEventListener("deck:theme", () => {
    plots.paint();
    showLegend([...at(told, "legend")].map(plain), plots.roles);
  });
  shared.on_event("connection_lost", () => {
    body.dataset.connection = "lost";
    notice(LOST, true);
  });
  listen(ask, plots);
}

$("#recording")?.addEventListener("change", ({ target }) => {
  location.search = new URLSearchParams({ recording: target.value });
});
$("#reload")?.addEventListener("click", () => location.reload());
if (form) start();
