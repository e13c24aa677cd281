// The line that tells of the page as a whole: the server is lost, the session is gone.

export const LOST = "Lost the server. Trying to reach it again.";

const element = document.getElementById("notice");

/** What is told now, by kind; "" for nothing. */
export const told = () => (element.hidden ? "" : element.dataset.kind);

/** Tell something, or nothing at all. */
export function tell(text, kind = "") {
  element.hidden = text === "";
  element.dataset.kind = kind;
  document.getElementById("notice-text").textContent = text;
  const create = document.getElementById("recreate");
  if (create) create.hidden = kind !== "unknown" && kind !== "deleted";
}

/** Take back what was told, if it was of this kind. */
export function untell(kind) {
  if (told() === kind) tell("");
}
