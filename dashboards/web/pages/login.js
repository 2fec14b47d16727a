/* The token, where the sensor asks for one. The answer is a cookie that scripts cannot read. */
import { post } from "../api.js";
import { h, put } from "../dom.js";

export function login(main, done) {
    const said = h("p", { class: "wrong-token", role: "alert" });
    const field = h("input", { id: "token", type: "password", autocomplete: "current-password", required: true, "aria-describedby": "token-note" });
    const button = h("button", { class: "primary" }, "Sign in");
    async function submit(event) {
        event.preventDefault();
        button.disabled = true;
        said.textContent = "";
        try {
            await post("/api/login", JSON.stringify({ token: field.value.trim() }));
            done();
        } catch (error) {
            said.textContent = error.status === 401 || error.status === 403 ? "That token is not one of this sensor's." : error.message;
            field.select();
            field.focus();
        } finally {
            button.disabled = false;
        }
    }
    put(main, h("form", { class: "login", onsubmit: submit },
        h("h1", { tabindex: "-1" }, "Sign in"),
        h("p", { class: "note", id: "token-note" }, "The token is the first line of the file that the policy names as web.token."),
        h("label", { for: "token" }, "Token"), field, said, button));
    document.title = "Sign in · sealdns";
    field.focus();
}
