/* What several pages are made of. */
import { h, put, property, text, unique } from "./dom.js";
import { number, percent } from "./format.js";
import { link } from "./route.js";
import * as words from "./words.js";

export const heading = (title, ...aside) =>
    h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, title), h("div", { class: "aside" }, aside));

/* A titled part of a page. */
export function panel(title, { id = unique("part"), aside, note, wide } = {}, ...body) {
    return h("section", { class: wide ? "panel wide" : "panel", "aria-labelledby": id },
        h("header", {}, h("h2", { id }, title), aside && h("div", { class: "aside" }, aside)),
        note && h("p", { class: "note" }, note), body);
}

export const empty = (what, why) => h("div", { class: "empty" }, h("p", {}, what), why && h("p", { class: "note" }, why));

export function failure(error, again) {
    return h("div", { class: "empty failed", role: "alert" }, h("p", {}, error.message),
        again && h("button", { type: "button", onclick: again }, "Try again"));
}

export const skeleton = (lines = 4) =>
    h("div", { class: "skeleton", "aria-hidden": "true" }, Array.from({ length: lines }, () => h("i")));

/* What comes late takes the place that waits for it. What is there already stays until then, so nothing jumps. */
export async function load(place, ask, draw, { signal, lines } = {}) {
    const first = !place.hasChildNodes() || place.querySelector(":scope > .failed");
    if (first)
        put(place, skeleton(lines));
    place.setAttribute("aria-busy", "true");
    try {
        const document = await ask();
        if (!signal?.aborted)
            put(place, draw(document));
    } catch (error) {
        if (error.name !== "AbortError" && !signal?.aborted)
            put(place, failure(error, () => load(place, ask, draw, { signal, lines })));
        if (!("status" in error) && error.name !== "AbortError")
            console.error(error);
    } finally {
        if (!signal?.aborted)
            place.setAttribute("aria-busy", "false");
    }
}

export function share(value, { of = "sealed", clear } = {}) {
    if (!Number.isFinite(value))
        return h("span", { class: "none" }, "–");
    return h("span", { class: "share" }, property(h("i", { class: clear ? "bar clear" : "bar", "aria-hidden": "true" }), "--share", value),
        h("span", {}, percent(value), h("span", { class: "hidden" }, ` ${of}`)));
}

export const severity = (n) => h("span", { class: `severity s${n}`, title: words.severity(n) }, n === 4 ? "info" : words.severity(n));
export const verdict = (v) => h("span", { class: `verdict v-${VERDICT_CLASS[v] ?? "allowed"}` }, words.verdict(v));
const VERDICT_CLASS = { "blocked": "cut", "redirected": "cut", "would-block": "would", "would-redirect": "would" };

/* Addresses and names are links to what is known of them. A role without clients is given pseudonyms. */
export function client(address, me) {
    if (!address)
        return h("span", { class: "none" }, "–");
    return me.clients ? h("a", { class: "address", href: link("clients", address), title: address }, address)
        : h("span", { class: "address", title: "A pseudonym: your role does not see clients" }, address);
}
export const resolver = (address) =>
    (address ? h("a", { class: "address", href: link("resolvers", address), title: address }, address) : h("span", { class: "none" }, "–"));
export const name = (value) => h("span", { class: "name" }, text(value));

/* Term and description. */
export const facts = (pairs) => h("dl", { class: "facts" },
    pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
        .map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));

export const count = (n) => (n ? number(n) : h("span", { class: "none" }, "0"));

/* A select whose value lives in the address bar. */
export function choice(title, value, options, changed) {
    if (value && !options.some(([option]) => option === value))
        options = [[value, value], ...options]; // somebody wrote the address by hand
    return h("label", { class: "field" }, h("span", {}, title),
        h("select", { onchange: (event) => changed(event.target.value) },
            options.map(([option, words]) => h("option", { value: option, selected: option === (value ?? "") }, words))));
}

export const PERIODS = [["24h", "Last 24 hours"], ["7d", "Last 7 days"], ["30d", "Last 30 days"], ["90d", "Last 90 days"], ["365d", "Last year"]];
