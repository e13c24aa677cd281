// Which period's scores the table shows.

const group = document.getElementById("period");
const buttons = [...group.querySelectorAll("button")];

group.addEventListener("click", ({ target }) => {
  if (!buttons.includes(target)) return;
  for (const button of buttons) {
    button.setAttribute("aria-pressed", button === target);
    document.querySelector(`[data-rows=scores-${button.value}]`).hidden = button !== target;
  }
});
