// @ts-check
// The Explore page: begin, and say that the server is lost until it is there again.

import { begin } from "./panel.js";
import { element, tell } from "./rest.js";

const LOST = "Lost the server. What is shown stays; to change it, load the page again.";

/** @param {string} connection @param {string} text */
function show(connection, text) {
  document.body.dataset.connection = connection;
  tell(text, connection);
}

element("reload").addEventListener("click", () => location.reload());
await begin();
const [shared] = window.Bokeh.documents;
shared.on_event("connection_lost", () => show("lost", LOST));
shared.on_event("client_reconnected", () => show("open", ""));
show("open", "");
