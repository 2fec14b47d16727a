/* What a policy would cut, out of the document of `sealdns plan`. */
import { h } from "../dom.js";
import { number, plural, time } from "../format.js";
import { client, count, empty, name, panel, resolver } from "../parts.js";
import { table } from "../table.js";
import * as words from "../words.js";

const OUTCOMES = {
    "dark": ["goes dark", "keeps nothing that was seen to work"],
    "bootstrap-only": ["all but dark", "keeps only the names of approved resolvers"],
    "out-of-reach-only": ["keeps what no rule can cut", "the rest is cut"],
    "loses": ["loses something", "and keeps something"],
    "redirected": ["redirected", "loses nothing; some is answered by somebody else"],
    "silent": ["unanswered", "nothing of it was answered, so it loses nothing"],
    "unaffected": ["unaffected", "loses nothing"],
};
const GRAVE = Object.keys(OUTCOMES);

const outcome = (o) => h("span", { class: { "dark": "severity s1", "bootstrap-only": "severity s1", "loses": "severity s2", "out-of-reach-only": "severity s2" }[o] ?? "severity s4", title: OUTCOMES[o]?.[1] }, OUTCOMES[o]?.[0] ?? o);
const fate = (f, as) => h("span", { class: f === "cut" ? "verdict v-cut" : "verdict" }, { "cut": "cut", "redirected": "redirected", "excepted": "excepted", "out-of-reach": "out of reach", "passes": "passes" }[f] ?? f,
    as && f !== "passes" ? ` (${as === "cleartext" ? "clear text" : "unapproved"})` : "");

function zones(plan) {
    return table({
        caption: "Zones: what becomes of their clients",
        columns: [
            { key: "zone", label: "Zone" },
            { key: "policy", label: "Policy", show: (z) => `clear text: ${z.cleartext}, unapproved: ${z.unapproved}` },
            { key: "clients", label: "Clients", number: true, show: (z) => number(z.clients) },
            ...["dark", "bootstrap-only", "loses", "redirected", "silent", "unaffected"].map((o) => ({ key: o, label: OUTCOMES[o][0], number: true, show: (z) => count(z.outcomes?.[o] ?? 0) })),
            { key: "queries", label: "Queries cut", number: true, show: (z) => count(z.cut?.queries ?? 0) },
        ],
        rows: plan.zones ?? [], none: empty("No client of any zone was recorded."),
    });
}

function clients(plan, me) {
    return table({
        caption: "Clients that lose something, the worst first",
        columns: [
            { key: "client", label: me.clients === false ? "Client (pseudonym)" : "Client", show: (c) => h("span", {}, client(c.client, me), c.host ? ` ${c.host}` : "") },
            { key: "zone", label: "Zone" },
            { key: "outcome", label: "What becomes of it", sort: true, value: (c) => GRAVE.indexOf(c.outcome), show: (c) => outcome(c.outcome) },
            { key: "cut_queries", label: "Queries cut", number: true, sort: true, show: (c) => count(c.cut_queries) },
            { key: "cut_flows", label: "Flows cut", number: true, sort: true, show: (c) => count(c.cut_flows) },
            { key: "approved", label: "Approved that answered", number: true, show: (c) => count(c.answered?.approved ?? 0) },
        ],
        rows: plan.clients ?? [], sorted: { key: "outcome", down: false }, none: empty("No client would lose anything."),
    });
}

function groups(plan, member, column) {
    const rows = (plan.zones ?? []).flatMap((z) => (z[member] ?? []).map((g) => ({ ...g, zone: z.zone })));
    return table({
        caption: member === "names" ? "Names by what becomes of them" : "Resolvers by what becomes of them",
        columns: [
            column,
            { key: "zone", label: "Zone", sort: true },
            { key: "fate", label: "Fate", sort: true, show: (g) => fate(g.fate, g.as) },
            { key: "clients", label: "Clients", number: true, sort: true, value: (g) => g.of?.clients, show: (g) => number(g.of?.clients) },
            { key: "queries", label: "Queries", number: true, sort: true, value: (g) => g.of?.queries, show: (g) => number(g.of?.queries) },
        ],
        rows, none: empty("None."),
    });
}

function conversations(plan, me, of) {
    return table({
        caption: "Conversations that would not pass as they are",
        columns: [
            !of && { key: "client", label: "Client", show: (c) => client(c.client, me) },
            { key: "server", label: "Server", show: (c) => resolver(c.server) },
            { key: "name", label: "Name", show: (c) => c.name && name(c.name) },
            { key: "transport", label: "Transport", show: (c) => words.transport(c.transport) },
            { key: "fate", label: "Fate", show: (c) => [fate(c.fate, c.as), c.already_cut && " already"] },
            { key: "action", label: "By", show: (c) => c.action },
            { key: "queries", label: "Queries", number: true, sort: true, show: (c) => number(c.queries) },
            { key: "last", label: "Last answered", show: (c) => (c.last_answered_hour ? time(c.last_answered_hour, "list") : "never") },
        ].filter(Boolean),
        rows: plan.conversations ?? [], none: empty("Everything that was recorded passes."),
    });
}

/* In a sentence, before any table. */
export function verdictOf(plan) {
    const sum = Object.fromEntries(GRAVE.map((o) => [o, (plan.zones ?? []).reduce((n, z) => n + (z.outcomes?.[o] ?? 0), 0)]));
    const all = plan.read?.clients ?? 0, dark = sum.dark + sum["bootstrap-only"], lose = sum.loses + sum["out-of-reach-only"];
    if (!all)
        return { grave: false, words: "Nothing was recorded in this time, so nothing can be said." };
    const unanswered = sum.silent ? ` Of ${plural(sum.silent, "client")} nothing was answered anyway.` : "";
    if (dark)
        return { grave: true, words: `${plural(dark, "client")} of ${number(all)} would go dark${lose ? `, ${number(lose)} more would lose something` : ""}.${unanswered}` };
    return { grave: lose > 0, words: lose ? `No client would go dark; ${plural(lose, "client")} of ${number(all)} would lose something.` : `None of ${plural(all, "client")} would lose anything.${unanswered}` };
}

/* of: the one client that it is about; then in short. */
export function impact(plan, { me, of }) {
    const doubts = plan.unknown ?? [];
    const unsure = doubts.length > 0 && h("details", {}, h("summary", {}, `What cannot be known (${doubts.length})`), h("ul", { class: "sentences" }, doubts.map((one) => h("li", {}, one))));
    if (of) {
        const about = plan.clients?.find((c) => c.client === of) ?? plan.clients?.[0];
        return h("div", {}, h("p", { class: "sentence" }, about ? h("span", {}, outcome(about.outcome), ` ${OUTCOMES[about.outcome]?.[1] ?? ""}.`) : "It would lose nothing."), conversations(plan, me, of), unsure);
    }
    const said = verdictOf(plan);
    return h("div", { class: "page" },
        h("section", { class: `health ${said.grave ? "wrong" : "well"}`, "aria-labelledby": "impact" }, h("h2", { id: "impact", tabindex: "-1" }, said.words),
            h("p", {}, "Recorded from ", time(plan.period?.since), " to ", time(plan.period?.until), `, ${plural(plan.read?.conversations ?? 0, "conversation")}.`)),
        h("div", { class: "panels" },
            panel("Zones", { wide: true }, zones(plan)),
            panel("Clients", { wide: true }, clients(plan, me)),
            panel("Resolvers", {}, groups(plan, "resolvers", { key: "server", label: "Server", sort: true, show: (g) => h("span", {}, resolver(g.server), g.resolver ? ` ${g.resolver}` : "") })),
            panel("Names", {}, groups(plan, "names", { key: "name", label: "Name", sort: true, show: (g) => name(g.name) })),
            panel("Conversations", { wide: true }, conversations(plan, me)),
            (plan.exceptions ?? []).length > 0 && panel("Exceptions of this policy", { wide: true }, exceptions(plan.exceptions, me)),
            doubts.length > 0 && panel("What cannot be known", { wide: true }, h("ul", { class: "sentences" }, doubts.map((one) => h("li", {}, one))))));
}

export function exceptions(rows, me) {
    return table({
        caption: "Exceptions, with owner and end",
        columns: [
            { key: "client", label: me.clients === false ? "Who (pseudonym)" : "Who", show: (e) => h("span", { class: "address" }, e.client) },
            { key: "resolver", label: "Resolver", show: (e) => e.resolver ?? "any" },
            { key: "until", label: "Until", sort: true, show: (e) => time(e.until, "day") },
            { key: "state", label: "State", show: (e) => (e.active ?? !e.ended ? h("span", { class: "yes" }, "active") : h("span", { class: "none" }, "ended")) },
            { key: "owner", label: "Owner", sort: true },
            { key: "reason", label: "Reason", wide: true },
            rows.some((e) => e.of) && { key: "of", label: "Queries", number: true, show: (e) => number(e.of?.queries) },
        ].filter(Boolean),
        rows, class: (e) => (e.active === false || e.ended ? "ended" : ""), header: 0, none: empty("The policy makes no exception."),
    });
}
