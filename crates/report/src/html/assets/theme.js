// Light and dark: as the system has it, unless the reader chooses.

/** @typedef {"auto" | "light" | "dark"} Theme */

const THEMES = /** @type {Theme[]} */ (["auto", "light", "dark"]);
const KEPT = "floodgate-colors";
/** @type {Set<() => void>} */
const painters = new Set();
let printing = false;

/** Calls something now and whenever colors change. @param {() => void} paint */
export function onColors(paint) {
  painters.add(paint);
}

/** The value of a color of the style sheet. @param {string} name @returns {string} */
export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function repaint() {
  for (const paint of painters) paint();
}

/** @returns {Theme} */
function kept() {
  try {
    const theme = /** @type {Theme | null} */ (localStorage.getItem(KEPT));
    return theme && THEMES.includes(theme) ? theme : "auto";
  } catch {
    return "auto"; // a file may have no storage
  }
}

/** @param {Theme} theme */
function apply(theme) {
  const root = document.documentElement;
  if (theme === "auto") root.removeAttribute("data-theme");
  else root.setAttribute("data-theme", theme);
  const button = document.getElementById("theme");
  if (button) button.textContent = `Colors: ${theme}`;
  repaint();
}

/** Lets the button and the system change colors; paper is light. */
export function startTheme() {
  let theme = kept();
  apply(theme);
  document.getElementById("theme")?.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    try {
      localStorage.setItem(KEPT, theme);
    } catch {
      // it holds for this view
    }
    apply(theme);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  const print = (/** @type {boolean} */ on) => {
    if (on === printing) return;
    printing = on;
    apply(on ? "light" : theme);
  };
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
}
