// A click on a target in the arena is a click on its button.

import { toggleTarget } from "./selection.js";

const NEAR = 1.5; // radii: a click this far from a target's centre means it
const CLICKS = ["tap", "doubletap"]; // of two quick clicks, wherever they are, the second is the latter

document.addEventListener("deck:plots", () => {
  const plot = Bokeh.index.roots.map(({ model }) => model).find(({ name }) => name === "arena");

  const toggle = ({ x, y }) => {
    const { data } = plot.document.get_model_by_name("arena/targets");
    const [xs, ys, radii] = ["x", "y", "radius"].map((name) => (data instanceof Map ? data.get(name) : data[name]));
    const distances = Array.from(xs, (tx, i) => Math.hypot(tx - x, ys[i] - y) / radii[i]);
    const nearest = Math.min(...distances);
    if (nearest < NEAR) toggleTarget(distances.indexOf(nearest));
  };

  for (const click of CLICKS) plot?.on_event(click, toggle);
});
