/* Figures and times as people read them; always with what they were exactly, for who points at them. */
import { h } from "./dom.js";
import { setting } from "./settings.js";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

export const number = (n) => (Number.isFinite(n) ? whole.format(n) : "–");
export const brief = (n) => (Number.isFinite(n) ? (Math.abs(n) < 10000 ? whole.format(n) : short.format(n)) : "–");

export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

/* A share is never rounded to all or none. */
export function percent(share, digits = 1) {
    if (!Number.isFinite(share))
        return "–";
    const value = share * 100, edge = 10 ** -digits;
    if (value > 0 && value < edge)
        return `<${edge} %`;
    if (value < 100 && value > 100 - edge)
        return `>${(100 - edge).toFixed(digits)} %`;
    return `${value === 0 || value === 100 ? value : value.toFixed(digits)} %`;
}

export function bytes(n) {
    if (!Number.isFinite(n))
        return "–";
    const units = ["B", "kB", "MB", "GB", "TB"];
    let unit = 0;
    for (; n >= 1000 && unit < units.length - 1; unit++)
        n /= 1000;
    return `${unit && n < 100 ? n.toFixed(1) : whole.format(n)} ${units[unit]}`;
}

export function milliseconds(ms) {
    if (!Number.isFinite(ms))
        return "–";
    return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10000 ? `${whole.format(ms)} ms` : duration(ms / 1000);
}

export function duration(seconds) {
    if (!Number.isFinite(seconds))
        return "–";
    const steps = [[86400, "d"], [3600, "h"], [60, "min"]];
    for (const [size, unit] of steps)
        if (seconds >= size)
            return `${seconds / size < 10 ? (seconds / size).toFixed(1).replace(/\.0$/, "") : whole.format(seconds / size)} ${unit}`;
    return `${seconds < 10 && seconds > 0 ? seconds.toFixed(1).replace(/\.0$/, "") : whole.format(seconds)} s`;
}

const clocks = {};
/* Year, month and so on of a moment, by the clock that the reader chose. */
function partsOf(date) {
    const utc = setting("clock") === "utc";
    clocks[utc] ??= new Intl.DateTimeFormat("en-GB", {
        year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: utc ? "UTC" : undefined,
    });
    return Object.fromEntries(clocks[utc].formatToParts(date).map((part) => [part.type, part.value]));
}
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/* A month by its name is never taken for a day. */
const STYLES = {
    day: (p) => `${p.year}-${p.month}-${p.day}`,
    date: (p) => `${Number(p.day)} ${MONTHS[p.month - 1]}`,
    hour: (p) => `${p.hour}:${p.minute}`,
    second: (p) => `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}`,
    minute: (p) => `${Number(p.day)} ${MONTHS[p.month - 1]} ${p.hour}:${p.minute}`,
    list: (p) => (Number(p.year) === new Date().getUTCFullYear() ? `${Number(p.day)} ${MONTHS[p.month - 1]} ${p.hour}:${p.minute}:${p.second}` : STYLES.day(p)),
};

/* EVE writes +0000, which not every browser reads. */
export function moment(iso) {
    const date = new Date(String(iso ?? "").replace(/([+-]\d\d)(\d\d)$/, "$1:$2"));
    return Number.isNaN(date.getTime()) ? null : date;
}

/* A period as the address bar has it, "7d" or a moment, as a moment. */
export function beginOf(period) {
    const [, count, unit] = /^(\d+)([hd])$/.exec(period) ?? [];
    return count ? new Date(Date.now() - count * { h: 3600000, d: 86400000 }[unit]).toISOString() : period;
}

export const zoneName = () => (setting("clock") === "utc" ? "UTC" : "local time");

export function stamp(iso, style = "second") {
    const date = moment(iso);
    return date ? STYLES[style](partsOf(date)) : "–";
}

/* <time> with the exact value, shown short. */
export function time(iso, style = "second") {
    const date = moment(iso);
    if (!date)
        return h("span", { class: "none" }, "–");
    return h("time", { datetime: date.toISOString(), title: `${String(iso)} (${ago(iso)})` }, stamp(iso, style));
}

/* A sentence of the sensor's with times that people read. */
export const plainly = (sentence) => String(sentence).replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (t) => `${stamp(t)} ${zoneName()}`);

export function ago(iso) {
    const date = moment(iso), now = Date.now();
    if (!date)
        return "never";
    const seconds = (now - date.getTime()) / 1000;
    if (Math.abs(seconds) < 2)
        return "now";
    return seconds > 0 ? `${duration(seconds)} ago` : `in ${duration(-seconds)}`;
}
