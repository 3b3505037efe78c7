// Where the API is, and who is signed in there: a token that the person pastes, where the server asks for one. It lives as long as the tab.

export const BASE = document.querySelector('meta[name="api"]')?.getAttribute("content") ?? "/v1";
/** Whether the API is on another server than these pages: no cookie goes there. */
export const APART = new URL(BASE, location.href).origin !== location.origin;

const KEY = "floodgate-token";
/** Reports are opened by the browser itself, which sends no header: for reading, the server takes the token from here as well. */
const COOKIE = "floodgate-token";

/** @returns {string | null} */
export function token() {
  return sessionStorage.getItem(KEY);
}

/** @param {string} text */
export function signIn(text) {
  sessionStorage.setItem(KEY, text);
  restore();
}

export function signOut() {
  sessionStorage.removeItem(KEY);
  if (!APART) document.cookie = `${COOKIE}=; Path=/v1; SameSite=Strict; Max-Age=0${secure()}`;
}

/** A tab that was restored has its storage and may have lost its cookie. */
export function restore() {
  const own = token();
  if (own && !APART) document.cookie = `${COOKIE}=${encodeURIComponent(own)}; Path=/v1; SameSite=Strict${secure()}`;
}

function secure() {
  return location.protocol === "https:" ? "; Secure" : "";
}
