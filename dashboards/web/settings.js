/* What one browser keeps: nothing of it leaves the machine. */

const DEFAULTS = { theme: "system", clock: "utc", keys: "on" };

export function setting(name) {
    try {
        return localStorage.getItem(`sealdns.${name}`) ?? DEFAULTS[name];
    } catch {
        return DEFAULTS[name]; // storage is forbidden
    }
}

export function keep(name, value) {
    try {
        localStorage.setItem(`sealdns.${name}`, value);
    } catch {
        // then it lasts as long as the page
    }
    DEFAULTS[name] = value;
    if (name === "theme")
        document.documentElement.dataset.theme = value;
    window.dispatchEvent(new CustomEvent("setting", { detail: name }));
}
