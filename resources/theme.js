// @ts-check
// Dark or light: remembered, else as the system prefers. Loaded before the first paint.
(() => {
  const key = "phantomdeck-theme";
  const remembered = () => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage may be forbidden; the theme then lasts as long as the page
    }
  };
  const root = document.documentElement;
  const preferred = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
  root.dataset.theme = remembered() ?? preferred;

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element && event.target.closest("[data-switch-theme]"))) return;
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(key, root.dataset.theme);
    } catch {
      // as above
    }
    document.dispatchEvent(new CustomEvent("deck:theme"));
  });
})();
