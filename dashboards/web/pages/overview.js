/* How much of DNS is sealed, what is not, what is done about it, and whether the sensor can be believed. */
import { get } from "../api.js";
import { chart, steps } from "../chart.js";
import { h, put } from "../dom.js";
import { beginOf, brief, moment, number, percent, plainly, plural, time } from "../format.js";
import { watch } from "../live.js";
import { PERIODS, choice, client, count, empty, heading, load, panel, severity, share, verdict } from "../parts.js";
import { change, link } from "../route.js";
import { table } from "../table.js";
import * as words from "../words.js";

const total = (row) => words.PARTS.reduce((sum, [part]) => sum + (row[part] ?? 0), 0);
const sealed = (row) => (row.sealed_approved ?? 0) + (row.sealed_unapproved ?? 0);
const shareOf = (row) => (total(row) ? sealed(row) / total(row) : null);

const isViolation = (v) => !["sensor", "enforcement"].includes(v.kind);

function healthPanel(health = {}) {
    const blind = [health.loss, ...(health.blind ?? []), health.drift].filter((said) => typeof said === "string" && said);
    const ok = health.ok !== false;
    return h("section", { class: `health ${ok ? "well" : "wrong"}`, "aria-labelledby": "health" },
        h("h2", { id: "health" }, ok ? "The sensor sees and does what it should" : "The sensor cannot be fully relied on"),
        health.state && h("p", {}, plainly(health.state)),
        blind.length > 0 && h("ul", {}, blind.map((said) => h("li", {}, plainly(said)))));
}

function trend(now, before) {
    if (!Number.isFinite(now) || !Number.isFinite(before))
        return h("p", { class: "note" }, "Nothing to compare with in the period before");
    const points = (now - before) * 100;
    const way = Math.abs(points) < 0.05 ? "as" : points > 0 ? "up" : "down";
    return h("p", { class: `note trend ${way}` }, way === "as" ? "As in the period before"
        : `${way === "up" ? "▲" : "▼"} ${Math.abs(points).toFixed(1)} points against the period before (${percent(before)})`);
}

const figure = (title, value, note, to) => h("div", { class: "kpi" }, h("h3", {}, title),
    h("p", { class: "value" }, to ? h("a", { href: to }, value) : value), note);

function figures(o, query) {
    const now = o.sealed ?? {}, none = !now.queries;
    const told = (o.violations ?? []).filter(isViolation);
    const grave = told.filter((v) => v.severity === 1).reduce((n, v) => n + v.events, 0);
    const cut = Object.values(o.blocked ?? {}).filter(Number.isFinite);
    return h("div", { class: "kpis" },
        figure("Sealed", none ? "–" : percent(now.share), none ? h("p", { class: "note" }, "No DNS was seen in this period") : trend(now.share, o.before?.queries ? o.before.share : null)),
        figure("In clear text", brief(now.clear), h("p", { class: "note" }, none ? "" : `of ${plural(now.queries, "query", "queries")}`), link("events", "", { kind: "cleartext", since: query.since })),
        figure("To unapproved resolvers", brief(now.unapproved), h("p", { class: "note" }, "sealed or not"), link("events", "", { kind: "unapproved-resolver", since: query.since })),
        figure("Grave events", number(grave), h("p", { class: "note" }, `of ${plural(told.reduce((n, v) => n + v.events, 0), "event")}`), link("events", "", { severity: "high", since: query.since })),
        figure("Blocked today", cut.length ? number(o.blocked.today ?? cut[0]) : "–", h("p", { class: "note" }, "times, in the kernel"), link("enforcement")));
}

/* Series come by zone; a chart wants the same times for all. */
function byTime(series, zone) {
    const at = new Map();
    for (const row of series)
        if (!zone || row.zone === zone) {
            const time = new Date(row.time).toISOString(), sum = at.get(time) ?? {};
            for (const [part] of words.PARTS)
                sum[part] = (sum[part] ?? 0) + (row[part] ?? 0);
            at.set(time, sum);
        }
    return at;
}

const LINES = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5"];

function shareChart(o, step, signal) {
    const times = steps(o.period.from, o.period.to, step);
    const zones = o.zones.toSorted((a, b) => total(b) - total(a)).slice(0, LINES.length - 1).map((z) => z.zone);
    const line = (label, zone, n) => {
        const at = byTime(o.series, zone);
        const all = [...at.values()].reduce((sum, row) => [sum[0] + sealed(row), sum[1] + total(row)], [0, 0]);
        return { label, colour: LINES[n], swatch: `line-${n + 1}`, dash: n ? [6, 2 + n] : undefined, values: times.map((t) => (at.has(t) ? shareOf(at.get(t)) : null)), total: all[1] ? all[0] / all[1] : null };
    };
    const series = [line("All zones", null, 0), ...(zones.length > 1 ? zones.map((z, n) => line(z, z, n + 1)) : [])];
    return chart({
        title: "Share of DNS that is sealed", times, series, share: true, step, signal, of: "whole period",
        says: `All zones together: ${percent(series[0].total)} of the period.`,
    });
}

function queryChart(o, step, signal) {
    const times = steps(o.period.from, o.period.to, step), at = byTime(o.series, null);
    const series = words.PARTS.map(([part, label, swatch]) => {
        const values = times.map((t) => at.get(t)?.[part] ?? 0);
        return { label, colour: `--${swatch}`, swatch, values, total: values.reduce((a, b) => a + b, 0) };
    });
    return chart({
        title: "Queries by how they went", times, series, stacked: true, step, signal, of: "whole period",
        says: series.map((one) => `${one.label}: ${number(one.total)}`).join("; ") + ".",
    });
}

function zoneTable(o, query) {
    return table({
        dense: true, caption: "Zones, with the share of their DNS that is sealed",
        columns: [
            { key: "zone", label: "Zone", sort: true, show: (r) => h("a", { href: link("events", "", { zone: r.zone, since: query.since }) }, r.zone) },
            { key: "share", label: "Sealed", sort: true, number: true, show: (r) => share(r.share ?? shareOf(r)), value: (r) => r.share ?? shareOf(r) },
            { key: "queries", label: "Queries", sort: true, number: true, show: (r) => number(total(r)), value: total },
            { key: "clear_unapproved", label: "In clear text", sort: true, number: true, show: (r) => count(r.clear_unapproved) },
            { key: "sealed_unapproved", label: "Unapproved", sort: true, number: true, show: (r) => count(r.sealed_unapproved) },
        ],
        rows: o.zones, sorted: { key: "queries", down: true },
        none: empty("No zone has asked anything in this period."),
    });
}

function violationTable(o, query) {
    return table({
        dense: true, caption: "What was told, by kind, severity and verdict",
        columns: [
            { key: "kind", label: "Kind", sort: true, show: (r) => h("a", { href: link("events", "", { kind: r.kind, severity: r.severity < 4 ? words.severity(r.severity) : null, since: query.since }) }, words.kind(r.kind)) },
            { key: "severity", label: "Severity", plain: true, sort: true, show: (r) => severity(r.severity) },
            { key: "verdict", label: "Verdict", plain: true, show: (r) => verdict(r.verdict) },
            { key: "events", label: "Events", sort: true, number: true, show: (r) => number(r.events) },
            { key: "count", label: "Times", sort: true, number: true, show: (r) => number(r.count) },
        ],
        rows: o.violations.filter(isViolation), sorted: { key: "severity", down: false },
        none: empty("Nothing was told in this period.", "Either all is as the policy wants it, or nothing was seen: the sensor's health above says which."),
    });
}

/* What the rules did, or in mode shadow would have done. */
function blockedTable(o, query) {
    const sums = new Map();
    for (const v of o.violations.filter((one) => isViolation(one) && /block|redirect/.test(one.verdict))) {
        const key = `${v.kind} ${v.verdict}`, sum = sums.get(key) ?? { ...v, events: 0, count: 0 };
        sums.set(key, { ...sum, events: sum.events + v.events, count: sum.count + v.count });
    }
    return table({
        dense: true, caption: "What the rules cut, by kind",
        columns: [
            { key: "kind", label: "Kind", show: (r) => h("a", { href: link("events", "", { kind: r.kind, since: query.since }) }, words.kind(r.kind)) },
            { key: "verdict", label: "Verdict", plain: true, show: (r) => verdict(r.verdict) },
            { key: "events", label: "Events", number: true, show: (r) => number(r.events) },
            { key: "count", label: "Times", number: true, show: (r) => number(r.count) },
        ],
        rows: [...sums.values()].sort((a, b) => b.count - a.count),
        none: empty("Nothing was cut in this period."),
    });
}

function transportTable(o) {
    const all = o.transports.reduce((n, t) => n + t.queries, 0);
    return table({
        dense: true, caption: "Transports by queries",
        columns: [
            { key: "transport", label: "Transport", show: (r) => words.transport(r.transport) },
            { key: "share", label: "Share", number: true, show: (r) => share(all ? r.queries / all : null, { of: "of all queries", clear: words.CLEAR.has(r.transport) }) },
            { key: "queries", label: "Queries", number: true, show: (r) => number(r.queries) },
        ],
        rows: o.transports.toSorted((a, b) => b.queries - a.queries),
        none: empty("No DNS was seen in this period."),
    });
}

function clientTable(o, me) {
    return table({
        dense: true, caption: "Clients that ask most in clear text against the policy",
        columns: [
            { key: "client", label: me.clients === false ? "Client (pseudonym)" : "Client", show: (r) => client(r.client, me) },
            { key: "zone", label: "Zone" },
            { key: "clear_unapproved", label: "Queries", number: true, show: (r) => number(r.clear_unapproved) },
        ],
        rows: o.clients, none: empty("No client asked in clear text against the policy."),
    });
}

function draw(o, context) {
    const { me, signal, query, step } = context;
    const without = () => empty("No DNS was seen in this period.", "Is the sensor on the clients' side of the gateway? sealdns status names its interfaces and what they saw.");
    return [
        healthPanel(o.health),
        figures(o, query),
        h("div", { class: "panels" },
            panel("Sealed over time", {}, o.series.length ? shareChart(o, step, signal) : without()),
            panel("Queries", {}, o.series.length ? queryChart(o, step, signal) : without()),
            panel("Violations", {}, violationTable(o, query)),
            panel("Zones", {}, zoneTable(o, query)),
            panel("What is being blocked", { aside: h("a", { href: link("enforcement") }, "Rules") }, blockedTable(o, query)),
            panel("Clear text by client", {}, clientTable(o, me)),
            panel("Transports", {}, transportTable(o))),
        h("p", { class: "note" }, "From ", time(o.period?.from), " to ", time(o.period?.to), "."),
    ];
}

/* Hours as long as there is room for them. */
const stepOf = (from, to) => ((moment(to) ?? new Date()) - moment(beginOf(from)) <= 8 * 86400000 ? "hour" : "day");

export function show({ main, me, signal, route }) {
    const place = h("div", { class: "page" });
    let asked = 0, charts = null;
    function ask(now) {
        const since = now.query.get("from") || "7d", to = now.query.get("to"), step = stepOf(since, to), mine = ++asked;
        load(place, () => get("/api/overview", { from: since, to, step }, signal), (o) => {
            if (mine !== asked)
                return [...place.childNodes];
            charts?.abort();
            charts = new AbortController();
            signal.addEventListener("abort", () => charts.abort());
            return draw(o, { me, signal: charts.signal, query: { since }, step });
        }, { signal, lines: 12 });
    }
    put(main, heading("Overview", choice("Period", route.query.get("from") || "7d", PERIODS, (value) => change(route, { from: value }))), place);
    ask(route);
    /* Figures are sums of hours: looked at again when the minute is over, not with each event. */
    const timer = setInterval(() => { if (!document.hidden && !place.querySelector("details[open]")) ask(route); }, 60000);
    signal.addEventListener("abort", () => clearInterval(timer));
    watch(() => {}, signal);
    return (next) => {
        route = next;
        ask(route);
    };
}
