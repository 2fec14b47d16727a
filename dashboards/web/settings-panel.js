/* Settings, keys, and what this is made of. */
import { h, put } from "./dom.js";
import { hasCharts } from "./chart.js";
import { keep, setting } from "./settings.js";

function radios(name, title, options) {
    return h("fieldset", {}, h("legend", {}, title), options.map(([value, words]) =>
        h("label", {}, h("input", { type: "radio", name, value, checked: setting(name) === value, onchange: () => keep(name, value) }), words)));
}

const KEYS = [["/", "search"], ["1 … 7", "go to a page"], ["↑ ↓ Home End", "walk through a list"], ["Enter", "open"], ["Esc", "close, go back to the list"], ["?", "this panel"]];

function about(me) {
    const licences = h("pre", { class: "licences", tabindex: "0" });
    const charts = h("p", { class: "note" });
    fetch("/licenses.txt").then((r) => (r.ok ? r.text() : "This build came without its list of licences.")).then((words) => put(licences, words))
        .catch(() => put(licences, "The sensor does not answer."));
    hasCharts().then((has) => { charts.textContent = has ? "" : "This build was made without charts; tables stand in their place."; });
    return h("section", { id: "about" }, h("h3", { tabindex: "-1" }, "About"),
        h("p", {}, `sealdns ${me?.version ?? ""} on ${me?.host ?? "this gateway"}. These pages come out of the sensor itself and ask nobody else. `,
            h("a", { href: "/api/openapi.yaml" }, "The API they use"), "."),
        charts, h("h3", {}, "Licences"), licences);
}

export function dialog(me, at) {
    const box = h("dialog", { class: "settings", "aria-labelledby": "settings-title" },
        h("header", {}, h("h2", { id: "settings-title" }, "Settings"),
            h("form", { method: "dialog" }, h("button", { class: "quiet", "aria-label": "Close settings" }, "Close"))),
        radios("theme", "Colours", [["system", "As the system has it"], ["light", "Light"], ["dark", "Dark"]]),
        radios("clock", "Times", [["utc", "UTC"], ["local", "Local time"]]),
        radios("keys", "One-key commands", [["on", "On"], ["off", "Off"]]),
        h("section", {}, h("h3", {}, "Keys"), h("dl", { class: "keys" }, KEYS.map(([key, does]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, does))))),
        about(me));
    const before = document.activeElement;
    box.addEventListener("close", () => {
        box.remove();
        before?.focus?.();
    });
    document.body.append(box);
    box.showModal();
    if (at)
        box.querySelector(`#${at} h3`)?.focus();
}
