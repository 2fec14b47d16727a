/* Clients: who asks how, and of one of them everything that is known. */
import { get } from "../api.js";
import { chart, steps } from "../chart.js";
import { h, put } from "../dom.js";
import { beginOf, number, plural, time } from "../format.js";
import { PERIODS, choice, client, count, empty, facts, failure, heading, load, name, panel, resolver, severity, share, verdict } from "../parts.js";
import { change, link } from "../route.js";
import { table } from "../table.js";
import * as words from "../words.js";
import { impact } from "./impact.js";

const PAGE = 100;
const shareOf = (c) => (c.queries_clear + c.queries_sealed ? c.queries_sealed / (c.queries_clear + c.queries_sealed) : null);
const columns = (me) => [
    { key: "client", label: me.clients === false ? "Client (pseudonym)" : "Client", sort: true, show: (c) => client(c.client, me) },
    { key: "zone", label: "Zone", sort: true },
    { key: "share", label: "Sealed", number: true, sort: true, value: shareOf, show: (c) => share(shareOf(c)) },
    { key: "queries_sealed", label: "Sealed queries", number: true, sort: true, show: (c) => count(c.queries_sealed) },
    { key: "queries_clear", label: "In clear text", number: true, sort: true, show: (c) => count(c.queries_clear) },
    { key: "flows_failed", label: "Failed attempts", number: true, sort: true, show: (c) => count(c.flows_failed) },
    { key: "profile", label: "Profile", sort: true, show: (c) => profileOf(c) },
    { key: "last", label: "Last seen", sort: true, show: (c) => time(c.last, "list") },
];
function profileOf(c) {
    const word = c.profile?.profile;
    return word && word !== "unknown" ? h("span", { title: words.PROFILES[word] }, word) : null;
}

function search(route) {
    const form = h("form", { class: "filters few", "aria-label": "Filter clients" },
        h("label", { class: "field" }, h("span", {}, "Address or name"), h("input", { type: "search", name: "search", value: route.query.get("search") ?? "", autocomplete: "off", spellcheck: "false" })),
        h("label", { class: "field" }, h("span", {}, "Zone"), h("input", { type: "text", name: "zone", value: route.query.get("zone") ?? "", placeholder: "any", autocomplete: "off", spellcheck: "false" })),
        h("button", { type: "submit" }, "Filter"));
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        change(route, Object.fromEntries([...new FormData(form)].map(([key, value]) => [key, value.trim()])));
    });
    return form;
}

function list({ main, me, signal, route }) {
    const place = h("div", { class: "panel" });
    const wanted = { search: route.query.get("search"), zone: route.query.get("zone"), limit: PAGE };
    put(main, heading("Clients"), me.clients && search(route), place);
    let all = [];
    const draw = (answer) => {
        all = [...all, ...answer.clients];
        const more = h("button", { type: "button", class: "more" }, "Show more clients");
        more.addEventListener("click", async () => {
            more.disabled = true;
            try {
                put(place, draw(await get("/api/clients", { ...wanted, before: answer.next }, signal)));
            } catch (error) {
                more.after(failure(error));
                more.disabled = false;
            }
        });
        return [table({
            caption: "Clients", columns: columns(me), rows: all,
            none: wanted.search || wanted.zone ? empty("No client matches.", "Addresses are searched by any part of them.") : empty("No client was seen yet.", "A client is whoever asks DNS across the watched interfaces."),
        }), answer.next && more];
    };
    load(place, () => get("/api/clients", wanted, signal), draw, { signal, lines: 16 });
}

const clearQueries = (day) => (day["do53-udp"] ?? 0) + (day["do53-tcp"] ?? 0);

function daysChart(days, from, signal) {
    const times = steps(from, new Date().toISOString(), "day"), at = new Map(days.map((day) => [new Date(day.day).toISOString(), day]));
    const known = Object.keys(words.TRANSPORTS).filter((t) => days.some((day) => day[t]));
    const colours = { "do53-udp": "clear", "do53-tcp": "clear-tcp", "dot": "sealed", "doq": "doq", "doh2": "doh", "doh3": "doh3", "dnscrypt": "strange" };
    const series = known.map((t) => {
        const values = times.map((time) => at.get(time)?.[t] ?? 0);
        return { label: words.transport(t), colour: `--${colours[t]}`, swatch: colours[t], values, total: values.reduce((a, b) => a + b, 0) };
    });
    return series.length ? chart({
        title: "Queries of this client by transport, day by day", times, series, stacked: true, step: "day", signal, of: "whole period",
        says: series.map((one) => `${one.label}: ${number(one.total)}`).join("; ") + ".",
    }) : empty("It asked nothing in this period.");
}

/* The store has them hour by hour. */
function together(rows) {
    const all = new Map();
    for (const row of rows) {
        const key = `${row.server} ${row.server_port} ${row.transport}`, sum = all.get(key);
        if (!sum) {
            all.set(key, { ...row });
            continue;
        }
        for (const counted of ["queries", "responses", "flows", "flows_failed"])
            sum[counted] += row[counted];
        if (row.last > sum.last)
            Object.assign(sum, { last: row.last, approved: row.approved, name: row.name || sum.name });
    }
    return [...all.values()];
}

const conversations = (rows) => table({
    caption: "Conversations of this client in the last seven days",
    columns: [
        { key: "server", label: "Server", sort: true, show: (c) => resolver(c.server) },
        { key: "name", label: "Name", show: (c) => c.name && name(c.name) },
        { key: "transport", label: "Transport", sort: true, show: (c) => words.transport(c.transport) },
        { key: "approved", label: "Approved", sort: true, show: (c) => approved(c.approved) },
        { key: "queries", label: "Queries", number: true, sort: true, show: (c) => number(c.queries) },
        { key: "flows", label: "Flows", number: true, sort: true, show: (c) => number(c.flows) },
        { key: "flows_failed", label: "Failed", number: true, sort: true, show: (c) => count(c.flows_failed) },
        { key: "last", label: "Last seen", sort: true, show: (c) => time(c.last, "list") },
    ],
    rows: together(rows), sorted: { key: "queries", down: true }, none: empty("No conversation in the last seven days."),
});
export const approved = (is) => h("span", { class: is ? "yes" : "no" }, is ? "approved" : "not approved");

export const events = (rows, caption) => table({
    caption,
    columns: [
        { key: "what", label: "Event", show: (e) => h("a", { href: link("events", e.sealdns?.id) }, e.alert?.signature ?? words.kind(e.sealdns?.kind)) },
        { key: "severity", label: "Severity", show: (e) => severity(e.alert?.severity ?? 4) },
        { key: "verdict", label: "Verdict", show: (e) => e.sealdns?.verdict && verdict(e.sealdns.verdict) },
        { key: "count", label: "Times", number: true, show: (e) => number(e.sealdns?.count ?? 1) },
        { key: "last", label: "Last seen", show: (e) => time(e.sealdns?.last ?? e.timestamp, "list") },
    ],
    rows, none: empty("Nothing was told."),
});

function identity(c, me) {
    const word = c.profile?.profile;
    return facts([
        ["Zone", c.zone && h("a", { href: link("clients", "", { zone: c.zone }) }, c.zone)],
        [me.clients === false ? "Shown as" : "Host name", me.clients === false ? "a pseudonym: your role does not see clients" : c.host],
        ["When encrypted DNS fails", words.PROFILES[word] ? `${word}: ${words.PROFILES[word]}` : "not seen yet"],
        ["Sealed", share(shareOf(c))],
        ["Failed attempts at encrypted DNS", number(c.flows_failed ?? 0)],
        ["First seen", time(c.first)],
        ["Last seen", time(c.last)],
    ]);
}

/* What its profile rests on. */
const HABITS = [
    ["successes", "encrypted DNS worked"],
    ["failures", "encrypted DNS failed"],
    ["hard_failures", "took a failure without clear text"],
    ["certificates_refused", "refused a certificate"],
    ["clear_after_failure", "clear text after a failure"],
    ["recursion_after_failure", "recursed by itself after a failure"],
    ["clear_otherwise", "clear text without a failure before"],
    ["bootstrap", "a resolver's name, a connectivity probe or an inside name"],
];
function habits(profile) {
    const known = HABITS.filter(([key]) => profile?.[key] > 0);
    return known.length ? facts(known.map(([key, said]) => [said[0].toUpperCase() + said.slice(1), plural(profile[key], "time")])) : empty("Nothing was learned yet.", "A profile needs a few attempts at encrypted DNS, or clear text.");
}

function drawOne(answer, { me, signal, address, from }) {
    const days = answer.days ?? [], clear = days.reduce((n, day) => n + clearQueries(day), 0);
    return h("div", { class: "panels" },
        panel("Who it is", {}, identity(answer.client ?? {}, me)),
        panel("How it is used to act", {}, habits(answer.client?.profile)),
        panel("Transports over time", { wide: true, note: days.length ? `${plural(clear, "query", "queries")} in clear text in this period.` : null }, daysChart(days, from, signal)),
        panel("What if the policy were enforced", { wide: true }, answer.whatif ? impact(answer.whatif, { me, of: address }) : empty("Nothing of this client would be cut.")),
        panel("Violations", { wide: true, aside: h("a", { href: link("events", "", { client: address }) }, "All of them") }, events(answer.events ?? [], "The newest events of this client")),
        panel("Conversations", { wide: true }, conversations(answer.conversations ?? [])));
}

function one({ main, me, signal, route, title }) {
    const address = route.rest, from = route.query.get("from") || "30d", place = h("div", { class: "page" });
    put(main, h("p", { class: "trail" }, h("a", { href: link("clients") }, "Clients")),
        heading(address, choice("Period", from, PERIODS, (value) => change(route, { from: value }))), place);
    title(address);
    load(place, () => get(`/api/clients/${encodeURIComponent(address)}`, { from }, signal), (answer) => drawOne(answer, { me, signal, address, from: beginOf(from) }), { signal, lines: 16 });
}

export function show(context) {
    let inner = null;
    function draw(route) {
        inner?.abort();
        inner = new AbortController();
        context.signal.addEventListener("abort", () => inner.abort());
        const now = { ...context, route, signal: inner.signal };
        if (route.rest)
            return one(now);
        context.title("Clients");
        return list(now);
    }
    draw(context.route);
    return (next) => {
        draw(next);
        context.main.querySelector("h1").focus({ preventScroll: true });
    };
}
