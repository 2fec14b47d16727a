/* What the kernel does: rules with their counters, zones, exceptions, and what others did to the table. */
import { get } from "../api.js";
import { h, put } from "../dom.js";
import { bytes, number, time } from "../format.js";
import { watch } from "../live.js";
import { count, empty, heading, load, panel } from "../parts.js";
import { link } from "../route.js";
import { table } from "../table.js";
import * as words from "../words.js";
import { exceptions } from "./impact.js";

function state(e) {
    const off = !e.mode || e.mode === "monitor", whole = ["rules", "elements"].every((what) => e.installed?.[what] === e.desired?.[what]);
    const said = off ? "Nothing is cut: the sensor only watches" : !whole ? "The kernel does not hold the rules that the policy wants"
        : e.mode === "shadow" ? "The rules are in the kernel and only count" : "The kernel holds the rules that the policy wants";
    return h("section", { class: `health ${off || whole ? "well" : "wrong"}`, "aria-labelledby": "state" }, h("h2", { id: "state" }, said),
        h("p", {}, [off ? null : `${number(e.installed?.rules)} of ${number(e.desired?.rules)} rules and ${number(e.installed?.elements)} of ${number(e.desired?.elements)} elements are in the kernel`, e.pairs ? `${number(e.pairs)} pairs of client and server are cut off for a while` : null].filter(Boolean).join("; ")));
}

const why = (z) => z.why;

function rules(rows, mode) {
    return table({
        caption: "Rules and what they counted",
        columns: [
            { key: "id", label: "Rule", sort: true, show: (r) => h("code", {}, r.id) },
            { key: "zone", label: "Zone", sort: true },
            { key: "acts", label: "Acts", show: (r) => (r.acts ? h("span", { class: "verdict v-cut" }, "cuts") : h("span", { class: "verdict v-would" }, mode === "monitor" ? "is not there" : "only counts")) },
            { key: "packets", label: "Packets", number: true, sort: true, show: (r) => count(r.packets) },
            { key: "bytes", label: "Bytes", number: true, sort: true, show: (r) => (r.bytes ? bytes(r.bytes) : h("span", { class: "none" }, "0")) },
        ].filter(Boolean),
        rows, sorted: { key: "packets", down: true }, none: empty("There is no rule in the kernel.", "In mode monitor the sensor installs none."),
    });
}

const ZONES = {
    enforced: ["yes", "enforced"], shadow: ["verdict v-would", "only counts"], held: ["no", "held: only counts"], watched: ["none", "only watched"],
};
function zones(rows) {
    return table({
        caption: "Zones and their state",
        columns: [
            { key: "zone", label: "Zone", sort: true },
            { key: "state", label: "State", sort: true, show: (z) => h("span", { class: ZONES[z.state]?.[0] ?? null }, ZONES[z.state]?.[1] ?? z.state) },
            { key: "cleartext", label: "Clear text" },
            { key: "unapproved", label: "Unapproved" },
            rows.some(why) && { key: "why", label: "Why", wide: true, show: why },
        ].filter(Boolean),
        rows, none: empty("The policy names no zone."),
    });
}

function changes(rows, caption, none) {
    return table({
        caption,
        columns: [
            { key: "time", label: "When", show: (e) => time(e.sealdns?.last ?? e.timestamp) },
            { key: "what", label: "What", wide: true, show: (e) => h("a", { href: link("events", e.sealdns?.id) }, what(e)) },
            { key: "who", label: "By", wide: true, show: (e) => who(e.sealdns?.evidence ?? {}) },
            { key: "count", label: "Times", number: true, show: (e) => number(e.sealdns?.count ?? 1) },
        ],
        rows, header: 1, none,
    });
}
const what = (e) => {
    const v = e.sealdns?.evidence ?? {};
    return [v.what ?? words.kind(e.sealdns?.kind), v.detail].filter(Boolean).join(": ");
};
const who = (v) => [v.program, v.login ?? (v.uid !== undefined ? `uid ${v.uid}` : null), v.ssh ?? v.terminal].filter(Boolean).map(String).join(", ") || null;

function draw(e, me) {
    const shadow = e.mode === "shadow";
    return [state(e), h("div", { class: "panels" },
        panel(shadow ? "Shadow results" : "Rules", { wide: true, note: shadow ? "Nothing is cut: these packets and bytes would have been." : null, aside: shadow && h("a", { href: link("events", "", { search: "would-" }) }, "Events that would have been cut") }, rules(e.rules ?? [], e.mode)),
        panel("Zones", { wide: true }, zones(e.zones ?? [])),
        panel("Exceptions", { wide: true }, exceptions(e.exceptions ?? [], me)),
        panel("Drift: what others did to the rules", { wide: true }, changes(e.drift ?? [], "What others changed, newest first", empty("Nobody touched the rules.", "A change by somebody else is undone within a second and told here."))),
        panel("Changes of policy and rules", { wide: true }, changes(e.changes ?? [], "Who changed the policy or the rules, newest first", empty("No change is recorded."))))];
}

export function show({ main, me, signal }) {
    const place = h("div", { class: "page" });
    put(main, heading("Enforcement", h("button", { type: "button", onclick: () => again() }, "Refresh")), place);
    const again = () => load(place, () => get("/api/enforcement", null, signal), (e) => draw(e, me), { signal, lines: 16 });
    let soon = 0;
    again();
    watch((name, event) => {
        if (name === "event" && event.sealdns?.kind === "enforcement") {
            clearTimeout(soon);
            soon = setTimeout(() => { if (!place.contains(document.activeElement)) again(); }, 1000);
        }
    }, signal);
    signal.addEventListener("abort", () => clearTimeout(soon));
}
