// The page in place of every other until the server knows who asks.
import { get } from "./api.js";
import { h } from "./dom.js";
import { signIn, signOut } from "./session.js";

/** @param {string} why @param {() => void} entered @returns {HTMLElement} */
export function signInForm(why, entered) {
  const field = h("input", { id: "token", name: "token", type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "token-told" });
  const told = h("p", { id: "token-told", role: "alert" }, why);
  const form = h("form", { class: "sign-in" },
    h("label", { for: "token" }, "Token"), field,
    h("button", { type: "submit" }, "Sign in"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    signIn(field.value.trim());
    try {
      await get("/projects");
      entered();
    } catch (error) {
      signOut();
      told.textContent = error instanceof Error ? error.message : String(error);
      field.select();
    }
  });
  return h("section", {}, h("h1", {}, "Sign in"),
    h("p", {}, "Paste a token that this service knows: one of its list, or a JWT of an identity provider. It is kept until this tab is closed."), form, told);
}
