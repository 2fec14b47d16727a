/* The report of a period: read here, kept as a file. */
import { address } from "../api.js";
import { h, put, announce } from "../dom.js";
import { empty, failure, heading, skeleton } from "../parts.js";
import { change } from "../route.js";

const FORMATS = [["pdf", "PDF", "to hand over"], ["html", "HTML", "one file, with charts"], ["csv", "CSV", "for a spreadsheet"], ["json", "JSON", "for a program"], ["text", "Text", "for a terminal or a mail"]];
const DAY = 86400000;
const iso = (date) => date.toISOString().slice(0, 10);

/* Whole periods in UTC, as auditors count them; `to` is the day after the last. */
function presets(now = new Date()) {
    const y = now.getUTCFullYear(), m = now.getUTCMonth(), d = now.getUTCDate(), at = (...date) => new Date(Date.UTC(...date));
    const monday = d - ((now.getUTCDay() + 6) % 7), quarter = m - (m % 3);
    return [
        ["Last 7 days", at(y, m, d - 6), at(y, m, d + 1)],
        ["Last week", at(y, m, monday - 7), at(y, m, monday)],
        ["This month", at(y, m, 1), at(y, m, d + 1)],
        ["Last month", at(y, m - 1, 1), at(y, m, 1)],
        ["Last quarter", at(y, quarter - 3, 1), at(y, quarter, 1)],
        ["This year", at(y, 0, 1), at(y, m, d + 1)],
    ].map(([title, from, to]) => [title, iso(from), iso(to)]);
}

function period(route) {
    const [, from, to] = presets()[0];
    const day = (value) => (/^\d{4}-\d\d-\d\d$/.test(value ?? "") ? value : null);
    return { from: day(route.query.get("from")) ?? from, to: day(route.query.get("to")) ?? to };
}
/* People name the last day, the sensor the moment after it. */
const lastDay = (to) => iso(new Date(Date.parse(to) - DAY));
const dayAfter = (last) => iso(new Date(Date.parse(last) + DAY));
const asked = ({ from, to }) => ({ from: `${from}T00:00:00Z`, to: `${to}T00:00:00Z` });

function chooser(route, now) {
    const said = h("p", { class: "wrong-token", role: "alert" });
    const from = h("input", { type: "date", name: "from", value: now.from, required: true });
    const last = h("input", { type: "date", name: "last", value: lastDay(now.to), required: true });
    const form = h("form", { class: "filters few", "aria-label": "The report's period" },
        h("label", { class: "field" }, h("span", {}, "First day (UTC)"), from),
        h("label", { class: "field" }, h("span", {}, "Last day (UTC)"), last),
        h("button", { type: "submit" }, "Show"), said);
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        said.textContent = from.value > last.value ? "The first day must not be after the last." : "";
        if (!said.textContent)
            change(route, { from: from.value, to: dayAfter(last.value) });
    });
    return [h("div", { class: "actions presets" }, presets().map(([title, a, b]) =>
        h("button", { type: "button", "aria-pressed": String(a === now.from && b === now.to), onclick: () => change(route, { from: a, to: b }) }, title))), form];
}

function downloads(now) {
    return h("section", { class: "panel downloads", "aria-labelledby": "downloads" }, h("header", {}, h("h2", { id: "downloads" }, "Download")),
        h("ul", {}, FORMATS.map(([format, title, use]) => h("li", {},
            h("a", { class: "button", href: address("/api/report", { ...asked(now), format }), download: `sealdns-${now.from}-${lastDay(now.to)}.${format === "text" ? "txt" : format}` }, title),
            h("span", { class: "note" }, use)))));
}

/* In a frame of its own: the report brings its own styles, and may run nothing. */
async function inline(place, now, signal) {
    const url = address("/api/report", { ...asked(now), format: "html", view: 1 });
    put(place, skeleton(18));
    place.setAttribute("aria-busy", "true");
    try {
        const answer = await fetch(url, { credentials: "same-origin", signal });
        const said = (answer.headers.get("Content-Type") ?? "").startsWith("application/json") ? await answer.json() : null;
        if (!answer.ok || said) {
            put(place, failure(new Error(said?.error ?? `The sensor answered with status ${answer.status}.`), () => inline(place, now, signal)));
        } else {
            await answer.body?.cancel();
            put(place, h("iframe", { class: "report", src: url, title: `Compliance report, ${now.from} to ${lastDay(now.to)}`, sandbox: "allow-popups allow-top-navigation-by-user-activation" }));
            announce("The report is shown");
        }
    } catch (error) {
        if (error.name !== "AbortError")
            put(place, failure(new Error("The sensor does not answer."), () => inline(place, now, signal)));
    }
    place.setAttribute("aria-busy", "false");
}

export function show({ main, me, signal, route }) {
    let inner = null;
    if (me.report === false) {
        put(main, heading("Compliance"), h("div", { class: "panel" }, empty("This sensor makes no reports.", "sealdns report makes them out of a store.")));
        return null;
    }
    function draw(next) {
        const now = period(next), place = h("div", { class: "panel report-place" });
        inner?.abort();
        inner = new AbortController();
        signal.addEventListener("abort", () => inner.abort());
        put(main, heading("Compliance", h("a", { class: "button", href: address("/api/report", { ...asked(now), format: "html", view: 1 }), target: "_blank", rel: "noopener" }, "Open by itself")),
            chooser(next, now), downloads(now), place);
        inline(place, now, inner.signal);
    }
    draw(route);
    return (next) => {
        draw(next);
        main.querySelector(".presets [aria-pressed=true], .filters button")?.focus();
    };
}
