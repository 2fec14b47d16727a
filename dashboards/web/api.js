/* The sensor's HTTP API (openapi.yaml). */

export class ApiError extends Error {
    constructor(status, document) {
        super(document?.error || SAID[status] || `The sensor answered with status ${status}.`);
        this.status = status;
        this.document = document;
    }
}

const SAID = {
    401: "A token is needed.",
    403: "Your role may not see this.",
    404: "There is no such thing here.",
    413: "That is too large.",
    429: "Too many requests at once; try again in a moment.",
    503: "The sensor is starting or busy; try again in a moment.",
};

export function address(path, parameters) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters ?? {}))
        if (value !== undefined && value !== null && value !== "")
            query.set(name, value);
    const asked = query.toString();
    return asked ? `${path}?${asked}` : path;
}

async function answer(response) {
    const json = (response.headers.get("Content-Type") ?? "").startsWith("application/json");
    const document = json ? await response.json().catch(() => null) : null;
    if (response.ok && document)
        return document;
    if (response.status === 401)
        window.dispatchEvent(new Event("login-needed"));
    throw new ApiError(response.ok ? 503 : response.status, document);
}

async function ask(url, options) {
    try {
        return await answer(await fetch(url, { credentials: "same-origin", ...options }));
    } catch (error) {
        if (error instanceof TypeError)
            throw new ApiError(0, { error: "The sensor does not answer. It may have been stopped, or the way to it is cut." });
        throw error;
    }
}

export const get = (path, parameters, signal) => ask(address(path, parameters), { signal });

export const post = (path, body, { type = "application/json", parameters, signal } = {}) =>
    ask(address(path, parameters), {
        method: "POST",
        headers: { "Content-Type": type, "X-Sealdns": "1" },
        body,
        signal,
    });
