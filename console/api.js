// What the pages ask for. Paths are those of crates/api.
import { APART, BASE, token } from "./session.js";

/** What went wrong, in the server's words. */
export class Problem extends Error {
  /** @param {number} status @param {string} detail */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** The server wants a token, or another one than it got. */
export class SignedOut extends Error {
  /** @param {boolean} refused */
  constructor(refused) {
    super(refused ? "This token is not valid here: it is unknown, changed or expired." : "");
  }
}

/** @param {string} path @param {RequestInit} [init] @returns {Promise<Response>} */
async function ask(path, init) {
  /** @type {Response} */
  let response;
  try {
    const own = token();
    response = await fetch(BASE + path, own ? { ...init, headers: { authorization: `Bearer ${own}` } } : init);
  } catch {
    throw new Problem(0, APART
      ? `no answer from ${BASE}: can it be reached, and does it allow pages of ${location.origin}?`
      : "no answer: is floodgate ui or floodgate serve still running?");
  }
  if (response.ok) return response;
  // A server that takes tokens says so; that of one machine has its own way in.
  if (response.status === 401 && (APART || response.headers.get("www-authenticate")?.startsWith("Bearer"))) throw new SignedOut(token() !== null);
  const told = await response.json().catch(() => ({}));
  throw new Problem(response.status, told.detail ?? response.statusText);
}

/** @param {string[]} parts @returns {string} */
export function path(...parts) {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join("");
}

/** @param {string} path @param {Record<string, string | number | null | undefined>} [query] @returns {Promise<any>} */
export async function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return (await ask(text ? `${path}?${text}` : path)).json();
}

/** @param {string} path */
export async function post(path) {
  await ask(path, { method: "POST" });
}

/** Where the page of a run lies. @param {string} project @param {string} id @returns {string} */
function reportPath(project, id) {
  return `/projects${path(project)}/executions${path(id)}/report`;
}

/**
 * The address of a run's page for a frame without this origin. From another server, which the browser's own request would not show a
 * token, the page is fetched here.
 * @param {string} project @param {string} id @returns {Promise<string>}
 */
export async function reportUrl(project, id) {
  const at = reportPath(project, id);
  return APART ? URL.createObjectURL(await (await ask(at)).blob()) : BASE + at;
}
