/* Without a mouse. */
import { expect, settled, test, visit } from "./steps.js";

const focused = (page) => page.evaluate(() => document.activeElement?.textContent?.trim() || document.activeElement?.id);

test("the skip link leads past the navigation", async ({ page }) => {
    await visit(page, "overview");
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Skip to content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement.id)).toBe("main");
});

test("every stop of the Tab key can be seen", async ({ page }) => {
    await visit(page, "events");
    const seen = new Set();
    for (let i = 0; i < 40; i++) {
        await page.keyboard.press("Tab");
        const stop = await page.evaluate(() => {
            const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
            return e === document.body ? null : { what: `${e.tagName} ${e.textContent.trim().slice(0, 20)}${e.id}${e.name ?? ""}`, ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0, inside: box.width > 0 && box.bottom > 0 && box.top < innerHeight };
        });
        if (!stop)
            break;
        seen.add(stop.what);
        expect(stop, stop.what).toMatchObject({ ring: true, inside: true });
    }
    expect(seen.size).toBeGreaterThan(20);
});

test("a walk: search, list, event, and back to the row", async ({ page }) => {
    await visit(page, "overview");
    await page.keyboard.press("2");
    await settled(page);
    expect(await focused(page)).toBe("Events");
    await page.keyboard.press("/");
    await page.keyboard.type("downgrade");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/search=downgrade/);
    await settled(page);
    const rows = page.locator(".events-list tbody tr");
    await rows.first().locator("a.event").focus();
    await page.keyboard.press("End");
    await expect(rows.last().locator("a.event")).toBeFocused();
    await page.keyboard.press("Home");
    await expect(rows.first().locator("a.event")).toBeFocused();
    if (await rows.count() > 1) {
        await page.keyboard.press("ArrowDown");
        await expect(rows.nth(1).locator("a.event")).toBeFocused();
        await page.keyboard.press("ArrowUp");
    }
    await page.keyboard.press("Enter");
    await expect(page.locator(".detail h2")).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(page.locator(".detail")).toBeHidden();
    await expect(rows.first().locator("a.event")).toBeFocused();
});

test("one-key commands can be switched off", async ({ page }) => {
    await visit(page, "overview");
    await page.keyboard.press("?");
    await page.getByRole("group", { name: "One-key commands" }).getByRole("radio", { name: "Off" }).check();
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
    await page.keyboard.press("3");
    await page.keyboard.press("/");
    await expect(page).toHaveURL(/overview/);
    await expect(page.getByRole("searchbox", { name: /Search events/ })).not.toBeFocused();
});

test("a column sorts by its heading", async ({ page }) => {
    await visit(page, "resolvers");
    const heading = page.getByRole("columnheader", { name: "Server" });
    await heading.getByRole("button").focus();
    await page.keyboard.press("Enter");
    await expect(heading).toHaveAttribute("aria-sort", "ascending");
    const shown = await page.locator("tbody th").allInnerTexts();
    expect(shown).toEqual([...shown].sort((a, b) => a.localeCompare(b, "en", { numeric: true })));
});
