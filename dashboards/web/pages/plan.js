/* A policy to come, tried on what was recorded: nothing is changed by it. */
import { post } from "../api.js";
import { h, put, announce } from "../dom.js";
import { plural } from "../format.js";
import { choice, failure, heading, panel, skeleton } from "../parts.js";
import { impact } from "./impact.js";

const MOST = 1 << 20;
const SINCE = [["24h", "The last 24 hours"], ["7d", "The last 7 days"], ["30d", "The last 30 days"], ["90d", "The last 90 days"]];

/* Where a line and column of the text is; a column counts characters. */
function offsetOf(words, line, column) {
    const lines = words.split("\n");
    return lines.slice(0, Math.max(0, line - 1)).reduce((n, one) => n + one.length + 1, 0) + Math.max(0, (column || 1) - 1);
}

const complaints = (document) => (Array.isArray(document) ? document : document?.errors ?? (document?.line || document?.error ? [document] : []));

function wrong(list, field) {
    const go = (one) => {
        const at = offsetOf(field.value, one.line, one.column);
        field.focus();
        field.setSelectionRange(at, Math.min(field.value.length, field.value.indexOf("\n", at) < 0 ? field.value.length : field.value.indexOf("\n", at)));
        field.scrollTop = Math.max(0, (one.line - 4) * parseFloat(getComputedStyle(field).lineHeight));
    };
    return h("section", { class: "panel complaints", "aria-labelledby": "wrong" },
        h("header", {}, h("h2", { id: "wrong", tabindex: "-1" }, list.length === 1 ? "One thing is wrong with this policy" : `${plural(list.length, "thing")} are wrong with this policy`)),
        h("ul", {}, list.map((one) => h("li", {}, one.line
            ? h("button", { type: "button", class: "place", onclick: () => go(one) }, `Line ${one.line}${one.column ? `, column ${one.column}` : ""}`) : null, h("span", {}, one.error ?? one.message)))));
}

async function readFile(file, field, said) {
    said.textContent = "";
    if (!file)
        return;
    if (file.size > MOST) {
        said.textContent = `${file.name} is larger than 1 MiB: that is no policy.`;
        return;
    }
    field.value = await file.text();
    announce(`${file.name} is in the field`);
}

export function show({ main, me, signal }) {
    let since = "7d";
    const said = h("p", { class: "wrong-token", role: "alert" });
    const field = h("textarea", { id: "policy", rows: "18", spellcheck: "false", autocomplete: "off", wrap: "off", "aria-describedby": "policy-note", required: true, placeholder: "zones:\n  - id: office\n    networks: [10.20.0.0/16]\n    cleartext: reject" });
    const file = h("input", { type: "file", id: "file", accept: ".yaml,.yml,text/yaml,text/plain", onchange: (event) => readFile(event.target.files[0], field, said) });
    const button = h("button", { class: "primary" }, "See what it would cut");
    const place = h("div", { class: "outcome" });
    async function ask(event) {
        event.preventDefault();
        said.textContent = new Blob([field.value]).size > MOST ? "The text is larger than 1 MiB: that is no policy." : "";
        if (said.textContent)
            return;
        button.disabled = true;
        put(place, skeleton(10));
        place.setAttribute("aria-busy", "true");
        try {
            const plan = await post("/api/plan", field.value, { type: "application/yaml", parameters: { since }, signal });
            put(place, impact(plan, { me }));
        } catch (error) {
            const list = error.status === 400 ? complaints(error.document) : [];
            if (error.name !== "AbortError")
                put(place, list.length ? wrong(list, field) : failure(error));
        }
        place.setAttribute("aria-busy", "false");
        button.disabled = false;
        place.querySelector("h2")?.focus();
    }
    const form = h("form", { class: "planning", onsubmit: ask },
        h("label", { for: "policy" }, "The new policy"), field,
        h("p", { class: "note", id: "policy-note" }, "The whole file, as sealdns check reads it. It is tried on what was recorded and then forgotten: nothing in the kernel changes."),
        said,
        h("div", { class: "actions" }, h("label", { class: "field" }, h("span", {}, "Or out of a file"), file), choice("Tried on", since, SINCE, (value) => { since = value; }), button));
    form.addEventListener("dragover", (event) => event.preventDefault());
    form.addEventListener("drop", (event) => {
        event.preventDefault();
        readFile(event.dataTransfer.files[0], field, said);
    });
    put(main, heading("Plan"), panel("What would a policy cut?", {}, form), place);
}
