// A picture that Python draws for the place and the theme that it has here, as one of Panel's components.

const WAIT = 300; // ms after which a new width is meant

/** @param {{ model: any }} page */
export function render({ model }) {
  const holder = Object.assign(document.createElement("div"), { className: "figure" });
  const image = Object.assign(document.createElement("img"), { alt: model.about });
  holder.append(image);
  const show = () => {
    image.hidden = !model.source;
    if (model.source) image.src = model.source;
  };
  const themed = () => (model.theme = document.documentElement.dataset.theme);
  let /** @type {any} */ timer;
  const sized = new ResizeObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(() => holder.clientWidth && (model.space = holder.clientWidth), WAIT);
  });
  sized.observe(holder);
  document.addEventListener("deck:theme", themed);
  model.on("source", show);
  model.on("remove", () => {
    sized.disconnect();
    document.removeEventListener("deck:theme", themed);
  });
  show();
  themed();
  return holder;
}
