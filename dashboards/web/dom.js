/* Elements out of plain values. Strings become text nodes and nothing else: names, certificates and policies come from
 * the network or from strangers, and none of it is ever read as markup. */

const SVG = "http://www.w3.org/2000/svg";

function set(element, name, value) {
    if (value === null || value === undefined || value === false)
        return;
    if (typeof value === "function" && name.startsWith("on"))
        element.addEventListener(name.slice(2), value);
    else if (/^(on|style$|srcdoc$)/i.test(name))
        throw new TypeError(`${name} is not set from here`);
    else if (name === "href" && !/^(#|\/(?!\/))/.test(value))
        throw new TypeError("links lead to this page or this host");
    else if (name === "value" || name === "checked" || name === "selected" || name === "disabled")
        element[name] = value;
    else
        element.setAttribute(name, value === true ? "" : String(value));
}

function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes ?? {}))
        set(element, name, value);
    append(element, children);
    return element;
}

function append(element, children) {
    for (const child of children.flat(Infinity))
        if (child !== null && child !== undefined && child !== false)
            element.append(child instanceof Node ? child : document.createTextNode(String(child)));
}

export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

/* What stands in an element gives way to the children. */
export function put(element, ...children) {
    element.replaceChildren();
    append(element, children);
    return element;
}

export const text = (value, empty = "–") => (value === null || value === undefined || value === "" ? empty : String(value));

/* Told to who does not see the page; the region exists from the start, else it is not heard. */
export function announce(message) {
    const region = document.getElementById("announcements");
    region.textContent = "";
    requestAnimationFrame(() => { region.textContent = message; });
}

/* A custom property, by CSSOM: a style attribute would be refused by the page's own policy. */
export function property(element, name, value) {
    element.style.setProperty(name, value);
    return element;
}

let numbered = 0;
export const unique = (prefix) => `${prefix}-${++numbered}`;
