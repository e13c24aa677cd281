// Receives a session over WebSocket in Node and prints once a second what arrives.
//
//   node node_deck.js --session demo

import { parseArgs } from "node:util";
import { deck, PhantomError } from "./phantom.js"; // the file beside this one

const { values: options } = parseArgs({
  options: {
    url: { type: "string" }, // address of the server's stream port
    session: { type: "string", default: "demo" }, // one that is new is created
    packets: { type: "string", default: "Infinity" }, // stop after so many
  },
});

let about, began;
let received = 0;
let missed = 0;
let spikes = 0;

function onConnect(metadata) {
  about = metadata;
  console.log(`${about.dataset}: ${about.num_channels} units, ${about.frequency_hz} bins per second`);
}

try {
  for await (const bin of deck(options.session, { url: options.url, onConnect })) {
    began ??= performance.now();
    received += 1;
    missed += bin.missed;
    spikes += bin.counts.reduce((sum, count) => sum + count, 0);

    if (received % Math.round(about.frequency_hz) === 0) {
      const rate = (received - 1) / ((performance.now() - began) / 1000);
      const { x, y } = bin.kinematics;
      const cursor = x === null || y === null ? "not observed" : `at (${x.toFixed(1)}, ${y.toFixed(1)})`;
      console.log(
        `packet ${bin.sequence_number}: ${rate.toFixed(2)} Hz, ${missed} missed, ` +
          `${spikes} spikes, trial ${bin.trial_id}, cursor ${cursor}`,
      );
      spikes = 0;
    }
    if (received >= Number(options.packets)) break;
  }
  console.log(`${received} packets`);
} catch (error) {
  if (!(error instanceof PhantomError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
