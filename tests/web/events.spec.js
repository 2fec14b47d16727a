/* The list of events: filters, the event itself, live, hostile names, a hundred thousand. */
import { AT_ONCE, MANY, agree, api, clear, expect, settled, signIn, test, visit } from "./steps.js";

const rows = (page) => page.locator(".events-list tbody tr");

test("a filter narrows the list, stands in the address and goes back", async ({ page }) => {
    await visit(page, "events");
    const all = await rows(page).count();
    await page.getByLabel("Kind").selectOption("downgrade");
    await expect(page).toHaveURL(/kind=downgrade/);
    await settled(page);
    const { events } = await api(page, "/api/events?kind=downgrade&limit=100");
    expect(events.length).toBeGreaterThan(0);
    await expect(rows(page)).toHaveCount(events.length);
    expect(events.length).toBeLessThan(all);
    await page.reload();
    await settled(page);
    await expect(page.getByLabel("Kind")).toHaveValue("downgrade");
    await expect(rows(page)).toHaveCount(events.length);
    await page.getByRole("button", { name: "Clear filters" }).click();
    await expect(rows(page)).not.toHaveCount(events.length);
    await page.goBack();
    await expect(rows(page)).toHaveCount(events.length);
});

test("filters that nothing matches say so", async ({ page }) => {
    await visit(page, "events?search=nowhere.invalid");
    await expect(page.getByText("No event matches these filters.")).toBeVisible();
});

test("an event: evidence, meaning, what to do, revisions, its capture", async ({ page }) => {
    await visit(page, "events?kind=downgrade");
    await rows(page).first().locator("a.event").click();
    const detail = page.getByRole("complementary", { name: "The event" });
    for (const title of ["Evidence", "What it means", "What to do", "Facts", "References"])
        await expect(detail.getByRole("heading", { name: title })).toBeVisible();
    await expect(detail.getByText("Cause", { exact: true })).toBeVisible();
    const id = decodeURIComponent(new URL(page.url()).hash.match(/events\/([^?]+)/)[1]);
    await agree(page, async () => {
        const { event, revisions, capture } = await api(page, `/api/events/${id}`);
        await expect(detail).toContainText(event.sealdns.evidence.cause, AT_ONCE);
        if (revisions.length > 1)
            await expect(detail.getByRole("table", { name: /Revisions/ }).locator("tbody tr")).toHaveCount(revisions.length, AT_ONCE);
        expect(capture).toBeTruthy();
    });
    const [download] = await Promise.all([page.waitForEvent("download"), detail.getByRole("link", { name: "Download the capture" }).click()]);
    const { readFileSync } = await import("node:fs");
    expect(readFileSync(await download.path()).subarray(0, 4).toString("hex")).toMatch(/^(d4c3b2a1|a1b2c3d4|4d3cb2a1|0a0d0d0a)$/);
});

test("an event that is not there", async ({ page }) => {
    page.expected = /404/;
    await visit(page, "events/0000000000000000");
    await expect(page.locator(".detail [role=alert]")).toBeVisible();
    await page.getByRole("button", { name: "Back to the list" }).click();
    await expect(page.locator(".detail")).toBeHidden();
});

test("a name that is a script is a name", async ({ page }) => {
    await page.addInitScript(() => { window.alert = () => { window.pwned = true; }; });
    await visit(page, "events");
    const { events } = await api(page, "/api/events?limit=200");
    const hostile = events.find((e) => JSON.stringify(e).includes("<script>"));
    expect(hostile, "the sensor tells of it").toBeTruthy();
    for (const hash of ["overview", "events", `events/${hostile.sealdns.id}`, `clients/${hostile.sealdns.client}`, `resolvers/${hostile.sealdns.server}`, "resolvers", `events?search=${encodeURIComponent("<script>alert(1)</script>")}`, "clients/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"]) {
        page.expected = /404|400/;
        await visit(page, hash);
        expect(await page.evaluate(() => [window.pwned, document.querySelectorAll("main script, main img, body > script").length])).toEqual([undefined, 0]);
    }
    await visit(page, `events/${hostile.sealdns.id}`);
    await expect(page.locator(".detail")).toContainText("<script>alert(1)</script>");
});

test("what happens is shown as it happens; a pause holds it back", async ({ page }) => {
    await visit(page, `events?kind=cleartext&client=${process.env.WALKER}`);
    await expect(page.locator(".live-state")).toHaveText("Live");
    const before = await rows(page).count();
    clear("walker", "203.0.113.53");
    await expect(rows(page)).toHaveCount(before + 1);
    await page.getByRole("button", { name: "Pause" }).click();
    clear("walker", "192.0.2.80");
    const held = page.getByRole("button", { name: /Show .* new/ });
    await expect(held).toBeVisible();
    await expect(rows(page)).toHaveCount(before + 1);
    await page.getByRole("button", { name: "Resume" }).click();
    await expect(rows(page)).toHaveCount(before + 2);
    await expect(held).toBeHidden();
});

test("a hundred thousand events: a page at a time, each within reach", async ({ page }) => {
    await signIn(page, "analyst");
    const begun = Date.now();
    await visit(page, "events", MANY);
    console.log(`# first page of 100,000 events: ${Date.now() - begun} ms`);
    expect(Date.now() - begun).toBeLessThan(5000);
    await expect(rows(page)).toHaveCount(100);
    await page.getByRole("button", { name: "Show older events" }).click();
    await expect(rows(page)).toHaveCount(200);
    const ids = await rows(page).evaluateAll((list) => list.map((tr) => tr.dataset.key));
    expect(new Set(ids).size).toBe(200);
    await visit(page, "events?client=10.0.0.7", MANY);
    await expect(rows(page)).toHaveCount(50);
    await visit(page, "overview", MANY);
    await expect(page.locator(".kpis")).toContainText("100K");
});
