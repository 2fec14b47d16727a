/* One event: what happened, what it means, what to do, what it rests on, how it grew. */
import { h } from "../dom.js";
import { bytes, duration, milliseconds, number, stamp, time, zoneName } from "../format.js";
import { client, facts, name, resolver, severity, verdict } from "../parts.js";
import { link } from "../route.js";
import { table } from "../table.js";
import * as words from "../words.js";

const own = (event) => event.sealdns ?? {};

/* Numbers by the unit that their key ends in; everything else as it came. */
function value(key, v) {
    if (v === null || v === undefined || v === "")
        return "–";
    if (typeof v === "number") {
        if (key.endsWith("_ms"))
            return milliseconds(v);
        if (key.endsWith("_s"))
            return duration(v);
        if (key.endsWith("_milli"))
            return String(v / 1000);
        return /bytes|octets/.test(key) ? bytes(v) : /port|pid|uid/.test(key) ? String(v) : number(v);
    }
    if (typeof v === "boolean")
        return v ? "yes" : "no";
    if (Array.isArray(v))
        return v.length ? h("ul", { class: "values" }, v.map((one) => h("li", {}, value(key, one)))) : "–";
    if (typeof v === "object")
        return facts(Object.entries(v).map(([k, one]) => [words.label(k), value(k, one)]));
    if (key === "names" && v.includes(" "))
        return h("ul", { class: "values" }, v.split(" ").map((one) => h("li", { class: "name" }, one)));
    if (words.EVIDENCE[key]?.[v])
        return h("span", {}, h("span", { class: "name" }, v), h("span", { class: "none" }, ` ${words.EVIDENCE[key][v]}`));
    if (key.endsWith("transport") && words.TRANSPORTS[v])
        return words.transport(v);
    return /^\d{4}-\d\d-\d\dT/.test(v) ? time(v) : h("span", { class: "name" }, v);
}

/* The event in a sentence, of nothing but its own words. */
function sentence(event) {
    const e = own(event), who = e.client ?? "Somebody", often = (e.count ?? 1) === 1 ? "once" : `${number(e.count)} times`;
    const span = e.first && e.last && e.first !== e.last ? `between ${stamp(e.first)} and ${stamp(e.last)} ${zoneName()}` : `at ${stamp(e.last ?? event.timestamp)} ${zoneName()}`;
    const subject = e.client ? `${who}${e.server ? ` and ${e.server}` : ""}` : e.server ?? event.host ?? "The sensor";
    return `${subject}: seen ${often}, ${span}.${VERDICTS[e.verdict] ? ` ${VERDICTS[e.verdict]}` : ""}`;
}
const VERDICTS = {
    "allowed": "It was let through.",
    "blocked": "The kernel cut it.",
    "redirected": "The kernel sent it to the approved resolver.",
    "would-block": "It was let through; the policy in mode enforce would cut it.",
    "would-redirect": "It was let through; the policy in mode enforce would redirect it.",
    "excepted": "An exception of the policy let it through.",
};

const two = (pairs) => {
    const list = facts(pairs);
    list.classList.add("two");
    return list;
};
const section = (title, ...body) => h("section", {}, h("h3", {}, title), body);
/* `words` of the program stand between backticks. */
const marked = (line) => line.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part));
const prose = (said) => String(said ?? "").split(/\n{2,}/).filter(Boolean).map((p) => h("p", {}, marked(p)));
const chips = (list) => h("ul", { class: "chips" }, list.map((one) => h("li", {}, one)));

function meaning(detection) {
    if (!detection)
        return null;
    const doubts = [detection.false_positives ?? []].flat().filter(Boolean);
    return [
        detection.do && section("What to do", prose(detection.do)),
        (detection.why || detection.what) && section("What it means", prose(detection.what), prose(detection.why)),
        doubts.length > 0 && section("When it is harmless", h("ul", {}, doubts.map((one) => h("li", {}, marked(one))))),
    ];
}

function evidence(event) {
    const e = own(event), entries = Object.entries(e.evidence ?? {});
    return section("Evidence", entries.length ? two(entries.map(([key, v]) => [words.label(key), value(key, v)])) : h("p", { class: "note" }, "None beside the facts below."));
}

function context(event, me) {
    const e = own(event), end = (ip, port) => (ip ? h("span", { class: "address" }, port ? (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`) : ip) : null);
    return section("Facts", two([
        [me.clients === false ? "Client (pseudonym)" : "Client", e.client && client(e.client, me)],
        ["Its link address", e.client_mac],
        ["Server", e.server && resolver(e.server)],
        ["Resolver", e.resolver],
        ["Transport", e.transport && words.transport(e.transport)],
        ["Zone", e.zone && h("a", { href: link("events", "", { zone: e.zone }) }, e.zone)],
        ["Asked for", event.dns?.queries?.length && event.dns.queries.map((q) => name(`${q.rrname} ${q.rrtype ?? ""}`))],
        ["Name in the handshake", (event.tls?.sni ?? event.quic?.sni) && name(event.tls?.sni ?? event.quic?.sni)],
        ["Packet", event.src_ip && h("span", {}, end(event.src_ip, event.src_port), " → ", end(event.dest_ip, event.dest_port), ` ${event.proto ?? ""}`)],
        ["Interface", event.in_iface],
        ["First seen", time(e.first)],
        ["Last seen", time(e.last)],
        ["Times", number(e.count ?? 1)],
        ["Confidence", Number.isFinite(e.confidence) ? `${e.confidence} of 100` : null],
        ["Rule", e.rule],
        ["Policy", e.policy && h("code", {}, e.policy)],
        ["Community id", event.community_id && h("code", {}, event.community_id)],
    ]));
}

function references(event, detection) {
    const attack = detection?.attack ?? event.alert?.metadata?.mitre_technique_id ?? [];
    const controls = detection?.controls ?? event.alert?.metadata?.control_id ?? [];
    return (attack.length || controls.length) && section("References", attack.length > 0 && chips(attack.map((id) => `ATT&CK ${id}`)), controls.length > 0 && chips(controls));
}

function revisions(list) {
    return list?.length > 1 && section("How it grew", table({
        caption: "Revisions of the event, newest first",
        columns: [
            { key: "revision", label: "Revision", number: true, show: (r) => number(own(r).revision) },
            { key: "time", label: "Told", show: (r) => time(r.timestamp) },
            { key: "state", label: "State", show: (r) => own(r).state },
            { key: "severity", label: "Severity", show: (r) => severity(r.alert?.severity ?? 4) },
            { key: "confidence", label: "Confidence", number: true, show: (r) => number(own(r).confidence) },
            { key: "count", label: "Times", number: true, show: (r) => number(own(r).count) },
        ],
        rows: list.toSorted((a, b) => (own(b).revision ?? 0) - (own(a).revision ?? 0)), plain: true,
    }));
}

function copy(event) {
    const button = h("button", { type: "button", class: "quiet" }, "Copy as JSON");
    button.addEventListener("click", async () => {
        try {
            await navigator.clipboard.writeText(JSON.stringify(event, null, 2));
            button.textContent = "Copied";
        } catch {
            button.textContent = "The browser forbids it; select the text below";
        }
    });
    return button;
}

export function details(answer, { me, close }) {
    const { event, detection, capture } = answer, e = own(event);
    return h("article", {},
        h("header", {},
            h("button", { type: "button", class: "quiet close", onclick: close, "aria-keyshortcuts": "Escape" }, "Close"),
            h("p", { class: "over" }, severity(event.alert?.severity ?? 4), e.verdict && verdict(e.verdict), h("span", {}, words.kind(e.kind)), h("span", {}, `revision ${e.revision ?? 1}, ${e.state ?? "new"}`)),
            h("h2", { tabindex: "-1" }, event.alert?.signature ?? [words.kind(e.kind), e.evidence?.what].filter(Boolean).join(": ")),
            h("p", { class: "sentence" }, sentence(event))),
        h("p", { class: "actions" },
            capture && me.clients && h("a", { class: "button", href: capture, download: `${e.id}.pcap` }, "Download the capture"),
            e.client && me.clients && h("a", { class: "button", href: link("events", "", { client: e.client }) }, "Events of this client"),
            copy(event)),
        meaning(detection), evidence(event), context(event, me), references(event, detection), revisions(answer.revisions),
        h("details", {}, h("summary", {}, "The event as it is stored"), h("pre", { class: "raw", tabindex: "0" }, JSON.stringify(event, null, 2))));
}
