// Controls that every page has: copy buttons, requests to the API, and the state of a session's page.

const POST = { method: "POST", headers: { "Content-Type": "application/json" } };
const LABELS = { playing: "Pause", ended: "Play again" };
const NOTICES = {
  lost: "Lost the server. Trying to reach it again.",
  unknown: "The server no longer has this session.",
  deleted: "This session was deleted.",
};

const PATIENCE = 5000; // ms that the server has for an answer

const $ = (selector) => document.querySelector(selector);
const body = document.body;

const ask = (url, options) => fetch(url, { ...options, signal: AbortSignal.timeout(PATIENCE) });

/** Call the API; a refusal becomes a notice in the server's own words. */
async function post(url, data) {
  try {
    const answer = await ask(url, { ...POST, body: JSON.stringify(data ?? {}) });
    const said = await answer.json().catch(() => ({}));
    if (answer.ok) return said;
    notice(said.error?.message ?? `The server refused (${answer.status}).`, "refused");
  } catch {
    notice(NOTICES.lost, "lost");
  }
  return null;
}

function notice(text, kind) {
  const element = $("#notice");
  element.hidden = text === "";
  element.dataset.kind = kind ?? "";
  $("#notice-text").textContent = text;
  const create = $("#recreate");
  if (create) create.hidden = kind !== "unknown" && kind !== "deleted";
}

async function create(code, options) {
  const session = await post("/api/sessions/create", { ...options, ...(code ? { custom_code: code } : {}) });
  if (session) location.assign(`/live?session=${session.session_code}`);
}

async function copyText(button) {
  const text = document.getElementById(button.dataset.copy).textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https only localhost has a clipboard: select and copy the old way.
    getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
    document.execCommand("copy");
  }
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = label), 1500);
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  if (button.dataset.copy) copyText(button);
  else if (button.dataset.create !== undefined) create(button.dataset.create);
});

// A session's page

const play = $("#play");

if (play) {
  const shown = { frames: 0, painted: 0, at: performance.now(), age: null };

  const toggle = () => {
    const verb = body.dataset.state === "playing" ? "pause" : "resume";
    post(`/api/control/${body.dataset.session}/${verb}`);
  };
  play.addEventListener("click", toggle);
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target.closest("button, a, input, select, textarea, summary")) return;
    event.preventDefault();
    toggle();
  });

  document.addEventListener("deck:connection", ({ detail }) => {
    body.dataset.connection = detail.state;
    play.disabled = detail.state !== "open";
    notice(NOTICES[detail.state] ?? "", detail.state);
  });

  document.addEventListener("deck:frame", ({ detail }) => {
    if (detail.state !== body.dataset.state) {
      body.dataset.state = detail.state;
      play.querySelector("span").textContent = LABELS[detail.state] ?? "Play";
      $("#state").textContent = detail.state;
      if (detail.state === "failed") notice(`The replay has failed: ${detail.error}`, "failed");
    }
    play.disabled = detail.state === "failed";
    if (detail.sequence_number !== undefined) delete body.dataset.empty;
    $("#progress").value = detail.progress;
    shown.age = detail.age ?? null;
  });

  // Numbers that change with every frame can be read a few times a second.
  setInterval(() => {
    const { frames, painted } = window.deckStats ?? shown;
    const now = performance.now();
    const seconds = (now - shown.at) / 1000;
    const live = body.dataset.state === "playing" && body.dataset.connection === "open";
    const rate = (painted - shown.painted) / seconds;
    $("#age").textContent = live && shown.age !== null ? `${Math.max(shown.age, 0).toFixed(0)} ms` : "–";
    $("#rate").textContent = live ? `${rate.toFixed(0)} / s` : "–";
    body.toggleAttribute("data-skipping", live && painted - shown.painted < 0.8 * (frames - shown.frames));
    Object.assign(shown, { frames, painted, at: now });
  }, 500);
}

// The home page's list of sessions

const list = $("#sessions");

if (list) {
  const refresh = async () => {
    try {
      const { sessions } = await (await ask("/api/sessions")).json();
      list.replaceChildren(...Object.entries(sessions).map(([code, session]) => row(code, session)));
      $("#none").hidden = Object.keys(sessions).length > 0;
      if ($("#notice").dataset.kind === "lost") notice("");
    } catch {
      notice(NOTICES.lost, "lost");
    }
    setTimeout(refresh, 2000);
  };

  const row = (code, session) => {
    const element = list.querySelector(`[data-code="${code}"]`) ?? $("#session").content.cloneNode(true).firstElementChild;
    element.dataset.code = code;
    const link = element.querySelector("a");
    link.href = `/live?session=${code}`;
    link.querySelector("[data-name]").textContent = code;
    const state = session.is_paused ? "paused" : session.is_running ? "playing" : "waiting";
    element.dataset.state = state;
    link.querySelector("[data-state]").textContent = state;
    const n = session.active_connections;
    link.querySelector("[data-decoders]").textContent = n === 1 ? "1 decoder" : `${n} decoders`;
    return element;
  };

  refresh();
}
