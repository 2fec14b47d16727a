/* Events as they happen, by server-sent events. One stream for all pages; closed while nobody looks, as a browser has few
 * connections to one host and the sensor few streams. */

const FRESH = 12000; // status comes every 5 s
const listeners = new Set();
let source = null, state = "closed", silence = 0, failures = 0, again = 0, gap = false;

function tell(name, detail) {
    for (const listener of listeners)
        listener(name, detail);
}

function become(next) {
    if (next !== state) {
        state = next;
        tell("state", next);
    }
}

function heard() {
    clearTimeout(silence);
    silence = setTimeout(() => become("silent"), FRESH);
    failures = 0;
    become("open");
    if (gap)
        tell("missed"); // a stream of our own making begins now: what was told in between is asked for
    gap = false;
}

function read(event) {
    try {
        return JSON.parse(event.data);
    } catch {
        return null; // cut short; the next one says more
    }
}

function open() {
    if (source || document.hidden)
        return;
    source = new EventSource("/api/events/stream");
    source.onopen = heard;
    source.addEventListener("event", (event) => {
        heard();
        const document = read(event);
        if (document)
            tell("event", document);
    });
    source.addEventListener("status", (event) => {
        heard();
        const document = read(event);
        if (document)
            tell("status", document);
    });
    /* A browser gives up for good when the answer is no stream (busy, token gone): then it is asked again, ever later. */
    source.onerror = () => {
        become("silent");
        if (source?.readyState !== EventSource.CLOSED)
            return;
        close();
        clearTimeout(again);
        again = setTimeout(open, Math.min(60, 2 ** ++failures) * 1000);
    };
}

function close() {
    gap ||= Boolean(source);
    source?.close();
    source = null;
    clearTimeout(silence);
}

export function watch(listener, signal) {
    listeners.add(listener);
    signal?.addEventListener("abort", () => listeners.delete(listener));
    open();
    listener("state", state);
}

document.addEventListener("visibilitychange", () => {
    if (document.hidden)
        close();
    else if (listeners.size)
        open();
});
window.addEventListener("pagehide", close);
