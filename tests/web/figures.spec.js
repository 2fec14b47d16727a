/* Figures and times as the pages write them, and what builds elements refuses. */
import { expect, test } from "./steps.js";

test("figures say what they are, and no more", async ({ page }) => {
    await page.goto("/");
    const said = await page.evaluate(async () => {
        const f = await import("/format.js"), w = await import("/words.js");
        return {
            shares: [0, 1, 0.99999, 0.00001, 0.5, 0.999, NaN].map((s) => f.percent(s)),
            bytes: [0, 999, 1500, 123456789].map(f.bytes),
            times: [0.25, 59, 90, 7200, 86400 * 3].map(f.duration),
            counts: [f.number(1234567), f.brief(1234567), f.plural(1, "query", "queries"), f.plural(2, "query", "queries")],
            eve: f.stamp("2026-03-01T02:03:04.500000+0000"), none: [f.stamp(null), f.stamp("yesterday"), f.ago(undefined)],
            label: [w.label("ttl_seen"), w.label("delay_ms"), w.kind("downgrade"), w.kind("of-tomorrow")],
        };
    });
    expect(said).toEqual({
        shares: ["0 %", "100 %", ">99.9 %", "<0.1 %", "50.0 %", "99.9 %", "–"],
        bytes: ["0 B", "999 B", "1.5 kB", "123 MB"],
        times: ["0.3 s", "59 s", "1.5 min", "2 h", "3 d"],
        counts: ["1,234,567", "1.23M", "1 query", "2 queries"],
        eve: "2026-03-01 02:03:04", none: ["–", "–", "never"],
        label: ["TTL seen", "Delay", "Downgrade to clear text", "of-tomorrow"],
    });
});

test("elements are made of text; handlers, styles and foreign links are refused", async ({ page }) => {
    await page.goto("/");
    const [html, ...refused] = await page.evaluate(async () => {
        const { h } = await import("/dom.js"), tried = (make) => {
            try {
                make();
                return "made";
            } catch (error) {
                return error.name;
            }
        };
        return [h("p", {}, "<b>x</b>", 1, null, false).outerHTML, tried(() => h("a", { onclick: "alert(1)" })), tried(() => h("a", { style: "color: red" })),
            tried(() => h("a", { href: "java" + "script:alert(1)" })), tried(() => h("a", { href: "//elsewhere.example/" })), tried(() => h("a", { href: "#/events" }))];
    });
    expect(html).toBe("<p>&lt;b&gt;x&lt;/b&gt;1</p>");
    expect(refused).toEqual(["TypeError", "TypeError", "TypeError", "TypeError", "made"]);
});
