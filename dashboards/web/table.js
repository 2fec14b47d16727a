/* Tables: a caption, headings of columns, rows that arrow keys walk, columns that sort. On a narrow screen each row
 * becomes a card; the roles are said again because a table that is laid out otherwise loses them in some browsers. */
import { h, put, unique, announce } from "./dom.js";

function compare(a, b) {
    if (typeof a === "number" && typeof b === "number")
        return a - b;
    return String(a ?? "").localeCompare(String(b ?? ""), "en", { numeric: true });
}

function ordered(rows, columns, sorted) {
    const column = columns.find((c) => c.key === sorted?.key);
    if (!column)
        return rows;
    const value = column.value ?? ((row) => row[column.key]);
    return [...rows].sort((a, b) => compare(value(a), value(b)) * (sorted.down ? -1 : 1));
}

function cell(column, row, first) {
    const shown = column.show ? column.show(row) : row[column.key];
    const content = shown === null || shown === undefined || shown === "" ? h("span", { class: "none" }, "–") : shown;
    return h(first ? "th" : "td", {
        role: first ? "rowheader" : "cell",
        scope: first ? "row" : null,
        class: [column.number && "number", column.wide && "wide", column.plain && "self"].filter(Boolean).join(" ") || null,
        "data-label": column.label,
    }, content);
}

export function row(columns, record, options = {}) {
    const tr = h("tr", { role: "row", class: options.class?.(record) },
        columns.map((column, i) => cell(column, record, i === (options.header ?? 0))));
    if (options.key)
        tr.dataset.key = options.key(record);
    return tr;
}

function headings(columns, sorted, sort) {
    return columns.map((column) => {
        const here = sorted?.key === column.key;
        return h("th", {
            role: "columnheader",
            scope: "col",
            class: column.number ? "number" : null,
            "aria-sort": here ? (sorted.down ? "descending" : "ascending") : null,
        }, column.sort && sort
            ? h("button", { type: "button", class: "sort", onclick: () => sort(column) }, column.label,
                h("span", { "aria-hidden": "true" }, here ? (sorted.down ? " ↓" : " ↑") : ""))
            : column.label);
    });
}

/* Up and down go from row to row, Home and End to the ends; a row's own link takes the focus. */
export function walk(event) {
    const rows = [...event.currentTarget.querySelectorAll("tbody tr")];
    const targets = rows.map((tr) => tr.querySelector("a, button")).filter(Boolean);
    const here = targets.findIndex((t) => t.closest("tr").contains(document.activeElement));
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: targets.length - 1 }[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName))
        return;
    if (here < 0 && event.key !== "ArrowDown")
        return;
    event.preventDefault();
    targets[Math.max(0, Math.min(targets.length - 1, to))]?.focus();
}

/* options: caption, columns [{key, label, show, value, number, sort, wide, plain: says by itself what it is}], rows, none (shown in place of no rows),
 * key(row), class(row), header (index of the column that names the row), sorted {key, down}, plain (no cards), dense (short values). */
export function table(options) {
    const { columns, caption, rows } = options;
    const id = unique("caption");
    let sorted = options.sorted;
    const head = h("tr", { role: "row" });
    const body = h("tbody", { role: "rowgroup" });
    if (!rows.length && options.none)
        return options.none;

    function draw() {
        put(head, headings(columns, sorted, (column) => {
            sorted = { key: column.key, down: sorted?.key === column.key ? !sorted.down : Boolean(column.number) };
            draw();
            head.querySelector("[aria-sort] button")?.focus();
            announce(`Sorted by ${column.label}, ${sorted.down ? "descending" : "ascending"}`);
        }));
        put(body, ordered(rows, columns, sorted).map((record) => row(columns, record, options)));
    }
    draw();
    const shown = h("table", { role: "table", class: options.plain ? "plain" : options.dense ? "cards dense" : "cards", "aria-describedby": id },
        h("caption", { id, class: options.shown ? null : "hidden" }, caption),
        h("thead", { role: "rowgroup" }, head), body);
    shown.addEventListener("keydown", walk);
    return scroll(h("div", { class: "scroll" }, shown), id);
}

/* What is larger than its place can be scrolled by keys, and only then is a stop of the Tab key. */
function scroll(place, id) {
    new ResizeObserver(() => {
        const wider = place.scrollWidth > place.clientWidth + 1 || place.scrollHeight > place.clientHeight + 1;
        for (const [name, value] of [["tabindex", "0"], ["role", "group"], ["aria-labelledby", id]])
            if (wider)
                place.setAttribute(name, value);
            else
                place.removeAttribute(name);
    }).observe(place);
    return place;
}
