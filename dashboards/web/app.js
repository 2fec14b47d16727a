/* The frame around the pages: who is asking, which page the address bar names, and what is the same on all of them. */
import { get } from "./api.js";
import { h, put, announce } from "./dom.js";
import { watch } from "./live.js";
import { dialog } from "./settings-panel.js";
import { failure } from "./parts.js";
import { parse, link } from "./route.js";
import { keep, setting } from "./settings.js";
import { MODES } from "./words.js";

const PAGES = [
    ["overview", "Overview"],
    ["events", "Events"],
    ["clients", "Clients"],
    ["resolvers", "Resolvers"],
    ["enforcement", "Enforcement"],
    ["compliance", "Compliance"],
    ["plan", "Plan"],
];
const main = document.getElementById("main");
const nav = document.getElementById("pages");
const menu = document.getElementById("menu");
let me = null, shown = null;

function here(page) {
    for (const one of nav.querySelectorAll("a"))
        if (one.dataset.page === page)
            one.setAttribute("aria-current", "page");
        else
            one.removeAttribute("aria-current");
}

function title(words) {
    document.title = `${words} · ${me?.host ?? "sealdns"}`;
}

/* The heading takes the focus, so that a screen reader says where one is and Tab goes on from there. */
function arrive(first) {
    window.scrollTo(0, 0);
    if (!first)
        main.querySelector("h1")?.focus({ preventScroll: true });
}

async function show() {
    const route = parse(location.hash), known = PAGES.some(([page]) => page === route.page);
    const name = known ? route.page : "overview";
    menu.setAttribute("aria-expanded", "false");
    if (shown?.name === name && shown.update) {
        shown.update({ ...route, page: name });
        main.dataset.shown = location.hash;
        return;
    }
    const first = !shown;
    shown?.stop.abort();
    const stop = new AbortController();
    shown = { name, stop };
    here(name);
    try {
        const page = await import(`./pages/${name}.js`);
        if (stop.signal.aborted)
            return;
        put(main);
        shown.update = page.show({ main, me, signal: stop.signal, title, route: { ...route, page: name } });
        title(PAGES.find(([page_]) => page_ === name)[1]);
        arrive(first);
    } catch (error) {
        console.error(error);
        put(main, h("h1", { tabindex: "-1" }, "This page did not load"), failure(error, () => location.reload()));
    }
    main.dataset.shown = location.hash;
}

function health(status) {
    const pulse = document.getElementById("pulse");
    const wrong = status?.health?.ok === false || status?.ok === false;
    pulse.hidden = false;
    pulse.className = `pulse ${status ? (wrong ? "wrong" : "well") : "silent"}`;
    const said = status ? (wrong ? "Attention" : "Live") : "No connection";
    if (pulse.textContent !== said) {
        if (pulse.textContent && pulse.textContent !== "Live" !== !wrong)
            announce(status ? `The sensor: ${said}` : "The connection to the sensor is lost");
        pulse.textContent = said;
    }
    pulse.title = { "Live": "Connected: what happens is shown as it happens", "Attention": "The sensor says that something is wrong: see Overview", "No connection": "The sensor does not answer; trying again" }[said];
}

function search(event) {
    event.preventDefault();
    const query = document.getElementById("query").value.trim();
    location.hash = link("events", "", { search: query });
}

/* One-key commands can be switched off: speech input says letters, too. */
function keys(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey)
        return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape" && event.target.id === "query")
        main.querySelector("h1")?.focus();
    if (event.key === "Escape" && menu.getAttribute("aria-expanded") === "true") {
        menu.setAttribute("aria-expanded", "false");
        menu.focus();
    }
    if (typing || setting("keys") === "off" || document.querySelector("dialog[open]"))
        return;
    if (event.key === "/" && me?.clients) {
        event.preventDefault();
        document.getElementById("query").focus();
    } else if (event.key === "?") {
        event.preventDefault();
        dialog(me);
    } else if (/^[1-7]$/.test(event.key)) {
        location.hash = link(PAGES[event.key - 1][0]);
    }
}

function frame() {
    put(nav, h("ul", {}, PAGES.map(([page, words]) => h("li", {}, withPage(h("a", { href: link(page) }, words), page)))),
        h("p", { class: "foot" }, h("button", { type: "button", class: "quiet", onclick: () => dialog(me, "about") }, "About"),
            h("span", {}, `sealdns ${me.version}`)));
    put(document.getElementById("host"), h("span", {}, me.host), " ", h("span", { class: `mode m-${me.mode}`, title: MODES[me.mode] }, me.mode),
        me.clients === false && h("span", { class: "mode", title: "Your role does not see clients: pseudonyms stand in their place" }, "pseudonyms"),
        me.demo && h("span", { class: "mode m-demo" }, "demonstration"));
    document.getElementById("search").hidden = !me.clients; // a search would tell who is behind a pseudonym
    document.body.classList.add("ready");
}
function withPage(a, page) {
    a.dataset.page = page;
    return a;
}

async function start() {
    try {
        me = await get("/api/me");
    } catch (error) {
        const { login } = await import("./pages/login.js");
        document.body.classList.remove("ready");
        if (error.status === 401)
            login(main, restart);
        else
            put(main, h("h1", { tabindex: "-1" }, "The sensor does not answer"), failure(error, restart));
        return;
    }
    frame();
    watch((name, detail) => {
        if (name === "status")
            health(detail);
        else if (name === "state" && detail === "silent")
            health(null);
    });
    show();
}

function restart() {
    shown?.stop.abort();
    shown = null;
    put(main);
    start();
}

keep("theme", setting("theme"));
menu.addEventListener("click", () => {
    const open = menu.getAttribute("aria-expanded") !== "true";
    menu.setAttribute("aria-expanded", String(open));
    if (open)
        nav.querySelector("a")?.focus();
});
document.getElementById("search").addEventListener("submit", search);
document.getElementById("settings").addEventListener("click", () => dialog(me));
document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address bar names a page, not a place on it
    main.focus();
});
document.addEventListener("keydown", keys);
window.addEventListener("hashchange", () => { if (me) show(); });
window.addEventListener("setting", (event) => { if (event.detail === "clock" && me) { shown?.stop.abort(); shown = null; show(); } });
window.addEventListener("login-needed", () => { if (me) { me = null; restart(); } });
start();
