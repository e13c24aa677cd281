// @ts-check
// A page that can only look: is the server there, and how does the session.

import { ENDINGS, element, tell } from "./rest.js";

import "./feed.js";

const { dataset } = document.body;

document.addEventListener("deck:connection", ({ detail: { state } }) => {
  dataset.connection = state;
  tell(ENDINGS[state] ?? "", state);
});

document.addEventListener("deck:frame", ({ detail: header }) => {
  if (header.sequence_number !== undefined) delete dataset.empty;
  element("state").textContent = dataset.state = header.state;
});
