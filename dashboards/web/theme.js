/* Ahead of the first paint, so that a page which should be dark never flashes. */
try {
    document.documentElement.dataset.theme = localStorage.getItem("sealdns.theme") ?? "system";
} catch {
    document.documentElement.dataset.theme = "system";
}
