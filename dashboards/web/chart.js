/* Charts over time. uPlot draws them, when this build has it; the same figures are always there as a table, for who
 * does not see the chart and for a build without one. */
import { h, announce, property, unique } from "./dom.js";
import { moment, number, percent, stamp, zoneName } from "./format.js";
import { setting } from "./settings.js";
import { table } from "./table.js";

let library;
/* Null where this build was made without charts. */
function charts() {
    library ??= import("/charts.js").then((module) => {
        document.head.append(h("link", { rel: "stylesheet", href: "/charts.css" }));
        return module.default;
    }).catch(() => null);
    return library;
}
export const hasCharts = async () => Boolean(await charts());

/* A canvas knows no custom properties. */
function colour(name) {
    const probe = property(h("i", { hidden: true }), "color", `var(${name})`);
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
}

/* Sums from below, so that a bar drawn over a taller one leaves its own part of it to be seen. */
function stacked(series) {
    const sums = [];
    for (const one of series)
        sums.push(one.values.map((v, i) => (v ?? 0) + (sums.at(-1)?.[i] ?? 0)));
    return sums;
}

function axes(options) {
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const common = { font, stroke: colour("--muted"), ticks: { show: false }, grid: { stroke: colour("--line"), width: 1 } };
    /* Midnights are told by their date, what lies between them by the hour. */
    const tick = (t) => {
        const at = new Date(t * 1000).toISOString(), hour = stamp(at, "hour");
        return options.step === "day" || hour === "00:00" ? stamp(at, "date") : hour;
    };
    return [
        { ...common, grid: { show: false }, space: 64, size: 28, values: (u, splits) => splits.map(tick) },
        { ...common, size: 52, values: (u, splits) => splits.map((v) => (options.share ? `${Math.round(v * 100)} %` : short(v))) },
    ];
}
const short = (v) => new Intl.NumberFormat("en", { notation: "compact" }).format(v);

/* A bar stands on its time: half of the first and the last lies beyond. */
function around(u, first, last) {
    const times = u.data[0], half = times.length > 1 ? (times.at(-1) - times[0]) / (times.length - 1) / 2 : 1800;
    return [first - half, last + half];
}

/* Every hour or day of a period, also those in which nothing was seen: a gap is a gap. */
export function steps(from, to, step) {
    const size = step === "day" ? 86400000 : 3600000, times = [];
    for (let t = Math.floor(moment(from) / size) * size; t < moment(to) && times.length < 2000; t += size)
        times.push(new Date(t).toISOString());
    return times;
}

function settings(uPlot, options, width, moved) {
    const bars = options.stacked ? uPlot.paths.bars({ size: [options.times.length > 60 ? 1 : 0.8, 40], gap: options.times.length > 60 ? 0 : 1 }) : null;
    const series = options.series.map((one, n) => ({
        label: one.label,
        stroke: colour(one.colour),
        fill: options.stacked ? colour(one.colour) : null,
        width: options.stacked ? 0 : n ? 1.25 : 2.25,
        dash: one.dash,
        paths: bars,
        points: { show: !options.stacked && one.values.filter(Number.isFinite).length < 30, size: 4, fill: colour(one.colour) },
    }));
    return {
        width, height: 220, legend: { show: false }, padding: [8, 20, 0, 0],
        cursor: { y: false, drag: { x: false, y: false }, points: { show: !options.stacked } },
        scales: { x: { time: true, range: options.stacked || options.times.length < 2 ? around : undefined }, y: { range: options.share ? [0, 1] : (u, low, high) => [0, Math.max(high, 1)] } },
        tzDate: (t) => (setting("clock") === "utc" ? uPlot.tzDate(new Date(t * 1e3), "Etc/UTC") : new Date(t * 1e3)),
        axes: axes(options),
        series: [{}, ...(options.stacked ? series.reverse() : series)],
        hooks: { setCursor: [(u) => moved(u.cursor.idx)] },
    };
}

function draw(uPlot, place, options, moved) {
    const times = options.times.map((t) => moment(t).getTime() / 1000);
    const values = options.stacked ? stacked(options.series).reverse() : options.series.map((one) => one.values);
    const plot = new uPlot(settings(uPlot, options, place.clientWidth || 320, moved), [times, ...values], place);
    return plot;
}

/* Drawn anew when colours or the clock change, fitted when its place grows or shrinks; gone with the page. */
async function live(place, options, moved) {
    const uPlot = await charts();
    let plot = null;
    if (!uPlot || options.signal?.aborted)
        return Boolean(uPlot);
    const again = () => {
        plot?.destroy();
        plot = draw(uPlot, place, options, moved);
    };
    const size = new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: 220 }));
    const dark = matchMedia("(prefers-color-scheme: dark)");
    again();
    size.observe(place);
    dark.addEventListener("change", again, { signal: options.signal });
    window.addEventListener("setting", again, { signal: options.signal });
    options.signal?.addEventListener("abort", () => {
        size.disconnect();
        plot.destroy();
    });
    return true;
}

/* The key doubles as the reading: under the pointer, or of the whole period. */
function legend(options) {
    const shown = (value) => (options.share ? percent(value) : number(value));
    const outputs = options.series.map(() => h("output", {}));
    const when = h("span", { class: "when" });
    const moved = (i) => {
        when.textContent = i === null || i === undefined ? options.of ?? "" : stamp(options.times[i], options.step === "day" ? "day" : "minute");
        options.series.forEach((one, n) => { outputs[n].textContent = shown(i === null || i === undefined ? one.total : one.values[i]); });
    };
    moved(null);
    const list = h("ul", { class: "legend" }, options.series.map((one, n) =>
        h("li", {}, h("i", { class: `swatch ${one.swatch}`, "aria-hidden": "true" }), h("span", {}, one.label), outputs[n])));
    return { place: h("div", { class: "reading" }, when, list), moved };
}

function figures(options) {
    const shown = (value) => (Number.isFinite(value) ? (options.share ? percent(value) : number(value)) : "–");
    return table({
        caption: options.title,
        plain: true,
        columns: [
            { key: "time", label: `Time (${zoneName()})`, show: (r) => stamp(r.time, options.step === "day" ? "day" : "minute") },
            ...options.series.map((one, n) => ({ key: n, label: one.label, number: true, show: (r) => shown(one.values[r.at]) })),
        ],
        rows: options.times.map((time, at) => ({ time, at })).filter(({ at }) => options.series.some((one) => one.values[at])).reverse(),
    });
}

/* options: title, says (the chart in a sentence), times [ISO], series [{label, colour, swatch, values, total}], stacked,
 * share, step, of (what the totals are of), signal. */
export function chart(options) {
    const id = unique("chart");
    const place = h("div", { class: "plot", role: "img", "aria-label": `${options.title}. ${options.says} The figures follow as a table.` });
    const reading = legend(options);
    const data = h("details", { class: "figures", id }, h("summary", {}, "Show as a table"));
    data.addEventListener("toggle", () => {
        if (data.open && data.childElementCount === 1)
            data.append(figures(options));
    });
    const whole = h("figure", { class: "chart" }, reading.place, place, data);
    live(place, options, reading.moved).then((drawn) => {
        if (drawn)
            return;
        place.removeAttribute("role");
        place.removeAttribute("aria-label");
        place.classList.add("without");
        place.textContent = "This build draws no charts. The figures are in the table below.";
        data.open = true;
    }).catch((error) => {
        console.error(error);
        announce("The chart could not be drawn; its table can.");
        data.open = true;
    });
    return whole;
}
