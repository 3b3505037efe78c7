// The console: which page the address means. Addresses stand behind `#`, so that the same files work from any place.
import { startTheme } from "/report/assets/theme.js";
import { SignedOut } from "./api.js";
import { audit } from "./audit.js";
import { compare } from "./compare.js";
import { h, say } from "./dom.js";
import { run } from "./run.js";
import { runs } from "./runs.js";
import { restore, signOut, token } from "./session.js";
import { signInForm } from "./sign-in.js";
import { test, tests } from "./tests.js";
import { versions } from "./versions.js";

/**
 * @typedef {{ main: HTMLElement, parts: string[], query: URLSearchParams, gone: AbortSignal }} Place
 * What a page gets: where it draws, the parts of its address, and a signal that it is no longer shown.
 */

/** @type {[RegExp, (place: Place) => Promise<string>][]} */
const PAGES = [
  [/^\/runs$/, runs],
  [/^\/runs\/([^/]+)\/([^/]+)$/, run],
  [/^\/tests$/, tests],
  [/^\/tests\/([^/]+)\/([^/]+)$/, test],
  [/^\/tests\/([^/]+)\/([^/]+)\/versions$/, versions],
  [/^\/compare$/, compare],
  [/^\/audit$/, audit],
];

const leave = /** @type {HTMLElement} */ (document.getElementById("leave"));
leave.addEventListener("click", () => {
  signOut();
  void show();
});

let shown = new AbortController();

async function show() {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const [path, query] = (location.hash.slice(1) || "/runs").split("?");
  const main = /** @type {HTMLElement} */ (document.getElementById("main"));
  for (const link of document.querySelectorAll("#places a")) {
    const own = link.getAttribute("href")?.slice(1) ?? "";
    if (path.startsWith(own)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const page = PAGES.find(([pattern]) => pattern.test(path));
  const drawn = h("div");
  try {
    if (!page) throw new Error(`there is no page ${path}`);
    const parts = (page[0].exec(path) ?? []).slice(1).map(decodeURIComponent);
    const titled = await page[1]({ main: drawn, parts, query: new URLSearchParams(query), gone: signal });
    if (signal.aborted) return;
    document.title = `${titled} · Floodgate`;
    say(titled);
  } catch (error) {
    if (signal.aborted) return;
    const text = error instanceof Error ? error.message : String(error);
    if (error instanceof SignedOut) drawn.replaceChildren(signInForm(text, show));
    else drawn.replaceChildren(h("section", { class: "problem", role: "alert" }, h("h2", {}, "This page can't be shown"), h("p", {}, text)));
  }
  main.replaceChildren(drawn);
  leave.hidden = token() === null;
  if (!location.hash.includes("?")) scrollTo(0, 0);
}

// The address after # is that of a page: following the link would ask for a page of that name.
document.querySelector("a.skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main")?.focus();
});
startTheme();
restore();
addEventListener("hashchange", show);
await show();
