/* What was told: filters in the address bar, the list, live, and beside it the one event that is looked at. */
import { get } from "../api.js";
import { h, put, announce } from "../dom.js";
import { number, plural, time } from "../format.js";
import { watch } from "../live.js";
import { choice, client, empty, failure, heading, load, resolver, severity, skeleton, verdict } from "../parts.js";
import { change, link } from "../route.js";
import { row, table } from "../table.js";
import * as words from "../words.js";
import { details } from "./event.js";

const PAGE = 100, MOST = 1000;
const FILTERS = ["since", "until", "kind", "severity", "zone", "client", "server", "search"];
const SINCE = [["", "All times"], ["1h", "Last hour"], ["24h", "Last 24 hours"], ["7d", "Last 7 days"], ["30d", "Last 30 days"], ["90d", "Last 90 days"]];

/* Of the sensor's own filter: so grave, or graver. */
const GRAVENESS = [["", "All"], ["high", "High"], ["medium", "Medium or graver"], ["low", "Low or graver"]];

const own = (event) => event.sealdns ?? {};
const filters = (route) => Object.fromEntries(FILTERS.map((f) => [f, route.query.get(f)]).filter(([, value]) => value));
const asked = (event) => event.dns?.queries?.[0]?.rrname ?? event.tls?.sni ?? event.quic?.sni ?? null;
/* What is no alert says what it is by its evidence: "Enforcement: healed". */
export const titleOf = (event) => event.alert?.signature ?? [words.kind(own(event).kind), own(event).evidence?.what].filter(Boolean).join(": ");
const graveness = (event) => event.alert?.severity ?? own(event).severity ?? 4;

function columns(route, me) {
    return [
        { key: "what", label: "Event", wide: true, show: (e) => h("a", { class: "event line", title: titleOf(e), href: link("events", own(e).id, route.query) }, titleOf(e)) },
        { key: "time", label: "Last seen", plain: true, show: (e) => time(own(e).last ?? e.timestamp, "list") },
        { key: "severity", label: "Severity", plain: true, show: (e) => severity(graveness(e)) },
        { key: "client", label: me.clients === false ? "Client (pseudonym)" : "Client", show: (e) => own(e).client && client(own(e).client, me) },
        { key: "server", label: "Server", show: (e) => own(e).server && resolver(own(e).server) },
        { key: "name", label: "Name", wide: true, show: (e) => asked(e) && h("span", { class: "name line", title: asked(e) }, asked(e)) },
        { key: "zone", label: "Zone", show: (e) => own(e).zone },
        { key: "verdict", label: "Verdict", plain: true, show: (e) => own(e).verdict && verdict(own(e).verdict) },
        { key: "count", label: "Times", number: true, show: (e) => number(own(e).count ?? 1) },
    ];
}

/* Whether an event that was told just now belongs into the list as it is filtered. The sensor has the last word when the
 * list is loaded anew. */
function belongs(event, wanted) {
    const e = own(event), is = (filter, value) => !wanted[filter] || wanted[filter] === value;
    return !wanted.until && is("kind", e.kind) && is("zone", e.zone) && is("client", e.client) && is("server", e.server) &&
        (!wanted.severity || graveness(event) <= GRAVENESS.findIndex(([value]) => value === wanted.severity)) &&
        (!wanted.search || JSON.stringify(event).toLowerCase().includes(wanted.search.toLowerCase()));
}

function textField(title, filter, route, hint) {
    return h("label", { class: filter === "search" || route.query.get(filter) ? "field" : "field rare" }, h("span", {}, title), h("input", {
        type: filter === "search" ? "search" : "text", value: route.query.get(filter) ?? "", placeholder: hint, autocomplete: "off", spellcheck: "false", name: filter,
        onchange: (event) => event.target.form.requestSubmit(),
    }));
}

function filterForm(route, me) {
    const form = h("form", { class: "filters", "aria-label": "Filter events" });
    const set = (filter) => (value) => change(current(), { [filter]: value }, { rest: "" });
    const current = () => ({ ...route });
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        const values = Object.fromEntries([...new FormData(form)].map(([key, value]) => [key, String(value).trim()]));
        if (Object.entries(values).some(([key, value]) => (route.query.get(key) ?? "") !== value))
            change(route, values, { rest: "" });
    });
    append(form,
        choice("Time", route.query.get("since"), SINCE, set("since")),
        choice("Kind", route.query.get("kind"), [["", "All kinds"], ...Object.entries(words.KINDS)], set("kind")),
        choice("Severity", route.query.get("severity"), GRAVENESS, set("severity")),
        textField("Zone", "zone", route, "any"), me.clients && textField("Client", "client", route, "address"), textField("Server", "server", route, "address"),
        me.clients && textField("Search", "search", route, "name, rule, text"),
        h("button", { type: "button", class: "quiet rarely", onclick: (event) => { form.classList.add("all"); event.target.hidden = true; } }, "More filters"),
        h("button", { type: "submit", class: "hidden", tabindex: "-1" }, "Filter"),
        Object.keys(filters(route)).length > 0 && h("button", { type: "button", class: "quiet", onclick: () => change(route, Object.fromEntries(FILTERS.map((f) => [f, ""])), { rest: "" }) }, "Clear filters"));
    return form;
}
const append = (element, ...children) => element.append(...children.filter(Boolean));

const nothing = (route) => (Object.keys(filters(route)).length
    ? empty("No event matches these filters.", "Take one away, or look at a longer time.")
    : empty("Nothing was told yet.", "Events appear here by themselves as soon as there are some."));

/* The list and what it knows of itself. */
class List {
    constructor(context) {
        Object.assign(this, context);
        this.events = [];
        this.waiting = new Map();
        this.next = null;
        this.paused = false;
        this.place = h("div", { class: "events-list" });
        this.more = h("button", { type: "button", class: "more", onclick: () => this.older() }, "Show older events");
        this.held = h("button", { type: "button", class: "held", hidden: true, onclick: () => this.release() });
        this.pause = h("button", { type: "button", class: "pause", "aria-pressed": "false", onclick: () => this.toggle() }, "Pause");
        this.state = h("span", { class: "live-state" });
    }

    load() {
        const mine = this.asking = {};
        this.waiting.clear();
        this.tellHeld();
        return load(this.place, () => get("/api/events", { ...filters(this.route), limit: PAGE }, this.signal), (answer) => {
            if (mine !== this.asking)
                return [...this.place.childNodes];
            this.events = answer.events;
            this.next = answer.next;
            return this.draw();
        }, { signal: this.signal, lines: 16 });
    }

    draw() {
        if (!this.events.length)
            return nothing(this.route);
        const drawn = table({ caption: "Events, newest first", columns: columns(this.route, this.me), rows: this.events, key: (e) => own(e).id });
        this.body = drawn.querySelector("tbody");
        this.mark();
        this.more.hidden = !this.next || this.events.length >= MOST;
        return [drawn, this.more];
    }

    async older() {
        this.more.disabled = true;
        try {
            const answer = await get("/api/events", { ...filters(this.route), limit: PAGE, before: this.next }, this.signal);
            const first = answer.events[0];
            this.next = answer.next;
            for (const event of answer.events) {
                this.events.push(event);
                this.body.append(this.rowOf(event));
            }
            announce(`${plural(answer.events.length, "older event")} added`);
            if (first)
                this.rowFor(own(first).id)?.querySelector("a")?.focus();
        } catch (error) {
            if (error.name !== "AbortError")
                this.more.after(failure(error));
        }
        this.more.disabled = false;
        this.more.hidden = !this.next || this.events.length >= MOST;
        if (this.events.length >= MOST && this.next)
            this.more.after(h("p", { class: "note" }, `${number(MOST)} are shown. Narrow the filters to see others.`));
    }

    rowOf(event) {
        return row(columns(this.route, this.me), event, { key: (e) => own(e).id });
    }

    rowFor(id) {
        return this.body?.querySelector(`tr[data-key="${CSS.escape(id)}"]`);
    }

    /* Links carry the filters, so they are written anew when those change; the row looked at is marked. */
    mark() {
        for (const tr of this.body?.rows ?? []) {
            const here = tr.dataset.key === this.route.rest;
            tr.classList.toggle("here", here);
            const a = tr.querySelector("a.event");
            if (here)
                a.setAttribute("aria-current", "true");
            else
                a.removeAttribute("aria-current");
        }
    }

    /* Nothing moves under the hands of who reads: rows come in by themselves only while the list's top is in sight and
     * nobody stands in it. */
    hear(event) {
        if (!belongs(event, filters(this.route)) || !own(event).id)
            return;
        this.waiting.delete(own(event).id);
        this.waiting.set(own(event).id, event);
        if (this.waiting.size > MOST)
            this.waiting.delete(this.waiting.keys().next().value); // the oldest: the list would not show it either
        const busy = this.paused || window.scrollY > 120 || this.place.contains(document.activeElement);
        if (busy)
            this.tellHeld();
        else
            this.soon ??= setTimeout(() => { this.soon = null; this.release(true); }, 250);
    }

    tellHeld() {
        const n = this.waiting.size;
        this.held.hidden = !n;
        put(this.held, `Show ${n >= MOST ? "many" : number(n)} new`);
    }

    release(quiet) {
        const fresh = [...this.waiting.values()];
        this.waiting.clear();
        this.tellHeld();
        if (!fresh.length)
            return;
        const known = new Set(fresh.map((e) => own(e).id)), fixed = this.events.filter((e) => !known.has(own(e).id));
        const had = this.events.length > 0;
        this.events = [...fresh.reverse(), ...fixed].slice(0, MOST);
        if (!had || !this.body?.isConnected) {
            put(this.place, this.draw());
        } else {
            for (const event of [...fresh].reverse()) {
                this.rowFor(own(event).id)?.remove();
                const tr = this.rowOf(event);
                tr.classList.add("fresh");
                this.body.prepend(tr);
            }
            while (this.body.rows.length > MOST)
                this.body.lastChild.remove();
            this.mark();
        }
        this.tell(fresh);
        if (!quiet) {
            window.scrollTo(0, 0);
            this.body.querySelector("a")?.focus();
        }
    }

    /* Not with each: who listens has other things to hear as well. */
    tell(fresh) {
        if (Date.now() - (this.told ?? 0) < 10000)
            return;
        this.told = Date.now();
        announce(fresh.length === 1 ? `New event: ${titleOf(fresh[0])}` : `${fresh.length} new events`);
    }

    toggle() {
        this.paused = !this.paused;
        this.pause.setAttribute("aria-pressed", String(this.paused));
        put(this.pause, this.paused ? "Resume" : "Pause");
        if (!this.paused)
            this.release(true);
        this.tellState(this.connection);
    }

    tellState(connection) {
        this.connection = connection;
        const said = this.route.query.get("until") ? "A closed period" : this.paused ? "Paused" : connection === "open" ? "Live" : connection === "closed" ? "" : "Reconnecting";
        this.state.className = `live-state ${said === "Live" ? "on" : ""}`;
        put(this.state, said);
    }
}

/* Escape gives the list back, and the focus to the row one came from. */
function side(context, list) {
    const place = h("aside", { class: "detail", "aria-label": "The event", hidden: true });
    let shownId = null;
    function close() {
        const id = shownId;
        change(list.route, {}, { rest: "" });
        requestAnimationFrame(() => list.rowFor(id)?.querySelector("a")?.focus());
    }
    place.addEventListener("keydown", (event) => {
        if (event.key === "Escape") {
            event.preventDefault();
            close();
        }
    });
    return { place, async show(id) {
        if (id === shownId)
            return;
        shownId = id;
        place.hidden = !id;
        context.main.classList.toggle("split", Boolean(id));
        if (!id)
            return;
        put(place, skeleton(14));
        try {
            const answer = await get(`/api/events/${encodeURIComponent(id)}`, null, context.signal);
            if (shownId !== id)
                return;
            put(place, details(answer, { me: context.me, close }));
            place.querySelector("h2").focus({ preventScroll: matchMedia("(min-width: 64rem)").matches });
            context.title(titleOf(answer.event));
        } catch (error) {
            if (error.name !== "AbortError" && shownId === id)
                put(place, h("button", { type: "button", class: "quiet", onclick: close }, "Back to the list"), failure(error));
        }
    } };
}

export function show(context) {
    const { main, signal, route } = context;
    const list = new List({ ...context, route });
    const detail = side(context, list);
    const form = h("div", {}, filterForm(route, context.me));
    put(main, heading("Events", list.state, list.held, list.pause), form, h("div", { class: "beside" }, list.place, detail.place));
    signal.addEventListener("abort", () => main.classList.remove("split"));
    list.load();
    detail.show(route.rest);
    watch((kind, document) => {
        if (kind === "event")
            list.hear(document);
        else if (kind === "state")
            list.tellState(document);
        else if (kind === "missed" && !list.paused)
            list.load();
    }, signal);
    return (next) => {
        const other = JSON.stringify(filters(next)) !== JSON.stringify(filters(list.route));
        list.route = next;
        list.tellState(list.connection);
        detail.show(next.rest);
        if (!next.rest)
            context.title("Events");
        if (!other)
            return list.mark();
        const focused = document.activeElement?.name;
        put(form, filterForm(next, context.me));
        if (focused)
            form.querySelector(`[name="${CSS.escape(focused)}"]`)?.focus();
        return list.load();
    };
}
