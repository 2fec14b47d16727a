/* The address bar says what is shown: #/page/rest?filters. So a view can be bookmarked, sent and gone back to. */

export function parse(hash) {
    const [path, query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
    const [page = "", ...rest] = path.split("/").map((part) => {
        try {
            return decodeURIComponent(part);
        } catch {
            return part;
        }
    });
    return { page: page || "overview", rest: rest.join("/"), query: new URLSearchParams(query) };
}

export function link(page, rest = "", query = {}) {
    const parameters = new URLSearchParams();
    for (const [name, value] of query instanceof URLSearchParams ? query : Object.entries(query))
        if (value !== undefined && value !== null && value !== "")
            parameters.set(name, value);
    const asked = parameters.toString();
    return `#/${page}${rest ? `/${encodeURIComponent(rest)}` : ""}${asked ? `?${asked}` : ""}`;
}

/* The same page with other filters; no step back for each letter typed. */
export function change(route, values, { rest = route.rest, replace = false } = {}) {
    const query = new URLSearchParams(route.query);
    for (const [name, value] of Object.entries(values)) {
        query.delete(name);
        if (value !== undefined && value !== null && value !== "")
            query.set(name, value);
    }
    const to = link(route.page, rest, query);
    if (replace) {
        history.replaceState(null, "", to);
        window.dispatchEvent(new HashChangeEvent("hashchange"));
    } else {
        location.hash = to;
    }
}
