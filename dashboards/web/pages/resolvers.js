/* Resolvers: every one ever seen. Approved or not, who it proves to be, how it answers, who uses it. */
import { get } from "../api.js";
import { h, put } from "../dom.js";
import { milliseconds, number, percent, stamp, time } from "../format.js";
import { client, count, empty, facts, heading, load, name, panel } from "../parts.js";
import { link } from "../route.js";
import { table } from "../table.js";
import * as words from "../words.js";
import { approved, events } from "./clients.js";

/* Half of the answers came within; documents of the sensor have microseconds by name. */
const point = (l, what, at) => {
    const us = l?.[`${what}_${at}_us`];
    return Number.isFinite(us) ? us / 1000 : null;
};
const answered = (r, at = "p50") => point(r.latency_ms, "answer", at);

const PADDING = { "padded": ["yes", "padded"], "partial": ["no", "partly"], "unpadded": ["no", "not padded"], "too few": ["none", "too few"] };
function padding(p) {
    const [is, said] = PADDING[p?.answer_padding] ?? [];
    return said ? h("span", { class: is, title: p.answer_messages ? `${number(p.answer_padded)} of ${number(p.answer_messages)} answers` : null }, said) : null;
}

const faultsOf = (p) => (p?.faults ?? "").split(",").filter(Boolean);
function probed(p) {
    if (!p)
        return h("span", { class: "none" }, "not probed");
    const faults = faultsOf(p);
    return faults.length ? h("span", { class: "no" }, faults.map((f) => f.replaceAll("-", " ")).join(", ")) : h("span", { class: "yes" }, "proven");
}
const us = (value) => (value ? milliseconds(value / 1000) : null);

const columns = [
    { key: "server", label: "Server", sort: true, show: (r) => h("a", { class: "address", href: link("resolvers", r.server) }, r.server_port && r.server_port !== 53 && r.server_port !== 853 ? `${r.server} port ${r.server_port}` : r.server) },
    { key: "name", label: "Name", sort: true, wide: true, value: (r) => r.resolver || r.name, show: (r) => (r.resolver || r.name) && h("span", { class: "line", title: r.name }, r.resolver && h("b", {}, r.resolver), r.resolver && r.name && " ", r.name && h("span", { class: "name none" }, r.name)) },
    { key: "transport", label: "Transport", sort: true, show: (r) => h("span", { title: words.transport(r.transport) }, words.SHORT[r.transport] ?? r.transport) },
    { key: "approved", label: "Approved", sort: true, show: (r) => h("span", { class: r.approved ? "yes" : "no" }, r.approved ? "yes" : "no") },
    { key: "probe", label: "Identity", show: (r) => probed(r.probe) },
    { key: "clients", label: "Clients", number: true, sort: true, show: (r) => number(r.clients) },
    { key: "queries", label: "Queries", number: true, sort: true, show: (r) => number(r.queries) },
    { key: "failed", label: "Failed", number: true, sort: true, value: (r) => r.flows_failed, show: (r) => count(r.flows_failed) },
    { key: "latency", label: "Answers in", number: true, sort: true, value: (r) => answered(r) ?? Infinity, show: (r) => (answered(r) === null ? null : h("span", { title: `nine of ten in ${milliseconds(answered(r, "p90"))}` }, milliseconds(answered(r)))) },
    { key: "padding", label: "Padding", show: (r) => padding(r.padding) },
    { key: "last", label: "Last seen", sort: true, show: (r) => time(r.last, "minute") },
];

function list({ main, signal }) {
    const place = h("div", { class: "panel" });
    const only = h("select", {}, [["", "All"], ["yes", "Approved"], ["no", "Not approved"], ["wrong", "Identity in doubt"]].map(([value, said]) => h("option", { value }, said)));
    const needle = h("input", { type: "search", autocomplete: "off", spellcheck: "false" });
    let rows = [];
    const draw = () => {
        const sought = needle.value.trim().toLowerCase();
        const wanted = rows.filter((r) => (only.value === "" || (only.value === "wrong" ? faultsOf(r.probe).length > 0 : Boolean(r.approved) === (only.value === "yes"))) &&
            [r.server, r.name, r.resolver].some((t) => String(t ?? "").toLowerCase().includes(sought)));
        return table({
            caption: "Resolvers, the most asked first", columns, rows: wanted, sorted: { key: "queries", down: true },
            none: rows.length ? empty("No resolver matches.") : empty("No resolver was seen yet.", "Every server that anybody asks appears here, approved or not."),
        });
    };
    put(main, heading("Resolvers"), h("form", { class: "filters few", "aria-label": "Filter resolvers", onsubmit: (event) => event.preventDefault() },
        h("label", { class: "field" }, h("span", {}, "Address or name"), needle), h("label", { class: "field" }, h("span", {}, "Show"), only)), place);
    needle.addEventListener("input", () => put(place, draw()));
    only.addEventListener("change", () => put(place, draw()));
    load(place, () => get("/api/resolvers", { limit: 1000 }, signal), (answer) => {
        rows = answer.resolvers;
        return draw();
    }, { signal, lines: 16 });
}

const certificate = (p) => [
    ["Certificate for", p?.certificate_for && name(p.certificate_for)],
    ["Issuer", p?.issuer && name(p.issuer)],
    ["Valid until", p?.not_after && time(p.not_after, "day")],
    ["Key pin", p?.pin && h("code", {}, p.pin)],
    ["TLS", p?.tls_version],
];

/* Of several transports, the one that was probed says most. */
function identity(rows) {
    const r = rows.find((one) => one.probe) ?? rows[0] ?? {};
    return facts([
        ["Approved", approved(r.approved)],
        ["In the policy or catalogue as", r.resolver],
        ["Name", r.name && name(r.name)],
        ["Identity", probed(r.probe)],
        ["Probed", r.probe && time(r.probe.time)],
        ...certificate(r.probe),
        ["First seen", time(r.first)],
        ["Last seen", time(r.last)],
    ]);
}

function behaviour(rows) {
    return table({
        caption: "How it answers, by transport",
        columns: [
            { key: "transport", label: "Transport", show: (r) => words.transport(r.transport) },
            { key: "queries", label: "Queries", number: true, show: (r) => number(r.queries) },
            { key: "answers", label: "Answered", number: true, show: (r) => (r.queries ? percent(Math.min(1, r.responses / r.queries)) : null) },
            { key: "failed", label: "Flows failed", number: true, show: (r) => (r.flows ? `${number(r.flows_failed)} of ${number(r.flows)}` : null) },
            ...["p50", "p90", "p99"].map((at, i) => ({ key: at, label: ["Half within", "90 % within", "99 % within"][i], number: true, show: (r) => (answered(r, at) === null ? null : milliseconds(answered(r, at))) })),
            { key: "handshake", label: "Handshake", number: true, show: (r) => (point(r.latency_ms, "handshake", "p50") === null ? null : milliseconds(point(r.latency_ms, "handshake", "p50"))) },
            { key: "padding", label: "Padding", show: (r) => padding(r.padding) },
        ],
        rows, none: empty("Nothing was measured yet."),
    });
}

function probes(rows) {
    return table({
        caption: "Probes of this resolver, newest first",
        columns: [
            { key: "time", label: "Time", show: (p) => stamp(p.time) },
            { key: "transport", label: "Transport", show: (p) => words.transport(p.transport) },
            { key: "said", label: "Result", show: (p) => probed(p) },
            { key: "error", label: "Error", wide: true, show: (p) => p.error },
            { key: "names", label: "Certificate for", wide: true, show: (p) => p.certificate_for && name(p.certificate_for) },
            { key: "handshake", label: "Handshake", number: true, show: (p) => us(p.handshake_us) },
            { key: "answer", label: "Answer", number: true, show: (p) => us(p.answer_us) },
        ],
        rows, none: empty("It was never probed.", "The policy says what is probed, and how often: probe.interval."),
    });
}

function users(rows, me) {
    return table({
        caption: "Clients of this resolver",
        columns: [
            { key: "client", label: me.clients === false ? "Client (pseudonym)" : "Client", show: (c) => client(c.client, me) },
            { key: "zone", label: "Zone" },
            { key: "transport", label: "Transport", show: (c) => words.transport(c.transport) },
            { key: "queries", label: "Queries", number: true, sort: true, show: (c) => number(c.queries) },
            { key: "last", label: "Last seen", show: (c) => time(c.last, "list") },
        ],
        rows, none: empty("Nobody uses it."),
    });
}

function drawOne(answer, me, server) {
    const rows = answer.resolvers;
    if (!rows.length)
        return empty("This address was never asked.");
    return h("div", { class: "panels" },
        panel("Who it is", {}, identity(rows)),
        panel("Who uses it", { note: "In the last day." }, users(answer.clients, me)),
        panel("How it answers", { wide: true }, behaviour(rows)),
        panel("Probes", { wide: true }, probes(answer.probes)),
        panel("Events", { wide: true, aside: h("a", { href: link("events", "", { server }) }, "All of them") }, events(answer.events, "The newest events of this resolver")));
}

function one({ main, me, signal, route, title }) {
    const place = h("div", { class: "page" });
    put(main, h("p", { class: "trail" }, h("a", { href: link("resolvers") }, "Resolvers")), heading(route.rest), place);
    title(route.rest);
    load(place, () => get(`/api/resolvers/${encodeURIComponent(route.rest)}`, null, signal), (answer) => drawOne(answer, me, route.rest), { signal, lines: 16 });
}

export function show(context) {
    const draw = (route) => (route.rest ? one({ ...context, route }) : list({ ...context, route }));
    draw(context.route);
    return (next) => {
        if (!next.rest)
            context.title("Resolvers");
        draw(next);
        context.main.querySelector("h1").focus({ preventScroll: true });
    };
}
