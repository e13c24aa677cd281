// Receives a session over WebSocket as MessagePack in Node and prints once a second what arrives.
//
//   npm install
//   node node_msgpack.js --session demo

const { parseArgs } = require("node:util");
const msgpack = require("msgpack-lite");
const WebSocket = require("ws");

const { values: options } = parseArgs({
  options: {
    url: { type: "string", default: `ws://127.0.0.1:${process.env.PHANTOM_PORT ?? 8000}` }, // address of the server's stream port
    session: { type: "string", default: "demo" }, // one that is new is created
    packets: { type: "string", default: "Infinity" }, // stop after so many
  },
});

// For a server that wants its token.
const headers = { Authorization: `Bearer ${process.env.PHANTOM_TOKEN}` };
const socket = new WebSocket(`${options.url}/stream/binary/${options.session}`, { headers });
let metadata, first, began;
let received = 0;
let spikes = 0;

socket.on("message", (message) => {
  const packet = msgpack.decode(message);
  if (packet.type === "metadata") {
    // The first message describes the recording; each one after it is a bin of spike counts.
    metadata = packet;
    console.log(`${metadata.dataset}: ${metadata.num_channels} units, ${metadata.frequency_hz} bins per second`);
  } else if (packet.type === "data" && received < Number(options.packets)) {
    receive(packet);
  }
});

function receive(packet) {
  began ??= performance.now();
  first ??= packet.sequence_number;
  received += 1;
  spikes += packet.spikes.spike_counts.reduce((sum, count) => sum + count, 0);

  if (received % Math.round(metadata.frequency_hz) === 0) {
    const rate = (received - 1) / ((performance.now() - began) / 1000);
    const missed = packet.sequence_number - first + 1 - received;
    const { x, y } = packet.kinematics;
    const cursor = x === null || y === null ? "not observed" : `at (${x.toFixed(1)}, ${y.toFixed(1)})`;
    console.log(
      `packet ${packet.sequence_number}: ${rate.toFixed(2)} Hz, ${missed} missed, ` +
        `${spikes} spikes, trial ${packet.trial_id}, cursor ${cursor}`,
    );
    spikes = 0;
  }
  if (received >= Number(options.packets)) socket.close();
}

socket.on("unexpected-response", (request, response) => {
  response.on("data", (body) => {
    console.error(JSON.parse(body).detail); // why it refuses
    process.exit(1);
  });
});
socket.on("error", (error) => {
  console.error(`Nobody answers at ${options.url} (${error.code}). Start serve.py, or say with --url where it is.`);
  process.exitCode = 1;
});
socket.on("close", () => console.log(`${received} packets`));
