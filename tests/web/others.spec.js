/* The other pages, each against what the program itself says. */
import { AT_ONCE, EMPTY, LAB, MANY, accessible, agree, api, expect, inside, settled, signIn, test, visit } from "./steps.js";

test("overview has the figures of the API, and a period changes them", async ({ page }) => {
    await visit(page, "overview");
    await agree(page, async () => {
        const o = await api(page, "/api/overview?from=7d&step=hour");
        expect(o.sealed.queries).toBeGreaterThan(0);
        await expect(page.locator(".kpis")).toContainText(`of ${o.sealed.queries.toLocaleString("en")} quer`, AT_ONCE);
        for (const zone of o.zones)
            await expect(page.getByRole("table", { name: /^Zones/ })).toContainText(zone.zone, AT_ONCE);
    });
    await page.getByRole("combobox", { name: "Period" }).selectOption("24h");
    await expect(page).toHaveURL(/from=24h/);
    await settled(page);
    await page.getByRole("table", { name: /What was told/ }).getByRole("link", { name: "Downgrade to clear text" }).first().click();
    await expect(page).toHaveURL(/kind=downgrade/);
});

test("clients: the list, and one with profile, days, violations, what-if", async ({ page }) => {
    await visit(page, "clients");
    await page.getByLabel("Address or name").fill("10.53.1.");
    await page.getByRole("button", { name: "Filter" }).click();
    await settled(page);
    const { events } = await api(page, "/api/events?kind=downgrade&limit=1"), address = events[0].sealdns.client;
    await visit(page, `clients/${address}`);
    for (const title of ["Who it is", "Transports over time", "What if the policy were enforced", "Violations", "Conversations"])
        await expect(page.getByRole("heading", { name: title })).toBeVisible();
    await expect(page.getByRole("table", { name: /newest events of this client/ })).toContainText(/downgrade/i);
    await expect(page.getByRole("table", { name: /Conversations of this client/ })).toContainText("203.0.113.53");
});

test("resolvers: approved and not, and who uses one", async ({ page }) => {
    await visit(page, "resolvers");
    const table = page.getByRole("table", { name: /^Resolvers/ });
    await expect(table.getByRole("row", { name: /203\.0\.113\.53/ }).first()).toContainText("yes");
    await page.getByLabel("Show").selectOption("no");
    await expect(table.getByRole("row", { name: /198\.51\.100\.53/ }).first()).toContainText("no");
    await page.getByLabel("Show").selectOption("");
    await table.getByRole("link", { name: "203.0.113.53" }).first().click();
    await settled(page);
    await expect(page.getByRole("table", { name: "Clients of this resolver" })).toContainText("10.53.1.");
});

test("enforcement: counters of the kernel, the exception with its end, and drift as it happens", async ({ page }) => {
    await visit(page, "enforcement");
    await expect(page.getByText("The kernel holds the rules that the policy wants")).toBeVisible();
    const { rules } = await api(page, "/api/enforcement");
    expect(rules.some((rule) => rule.packets > 0 && rule.zone === "office")).toBe(true);
    await expect(page.getByRole("table", { name: /Rules/ }).locator("tbody tr")).toHaveCount(rules.length);
    await expect(page.getByRole("table", { name: /Exceptions/ })).toContainText("the printer, change 1");
    await expect(page.getByRole("table", { name: /Exceptions/ })).toContainText("2099-12-31");
    inside("gw", "nft", "flush", "ruleset");
    await expect(page.getByRole("table", { name: /What others changed/ })).toContainText("nft", { timeout: 10000 });
});

test("plan: errors by line and column, then the impact", async ({ page }) => {
    page.expected = /400/;
    await visit(page, "plan");
    const field = page.getByLabel("The new policy");
    await field.fill("sensor: {mode: enforce}\nzones:\n  - {id: lab, networks: [10.53.0.0/99]}\n");
    await page.getByRole("button", { name: "See what it would cut" }).click();
    const place = page.getByRole("button", { name: /^Line 3, column \d+/ }).first();
    await expect(place).toBeVisible();
    await place.click();
    expect(await field.evaluate((f) => f.value.slice(0, f.selectionStart).split("\n").length)).toBe(3);
    await field.fill("sensor: {mode: enforce}\nresolvers:\n  - {id: corp, name: dns.corp.example, addresses: [192.0.2.53], transports: [dot]}\nzones:\n  - {id: lab, networks: [10.53.0.0/16], approve: [corp], cleartext: reject, unapproved: reject}\n");
    await page.getByRole("button", { name: "See what it would cut" }).click();
    await expect(page.locator("#impact")).toBeFocused();
    await expect(page.getByRole("table", { name: /Clients that lose/ })).toContainText("10.53.1.");
    await accessible(page);
});

test("compliance: shown, and each format as a file", async ({ page }) => {
    await visit(page, "compliance");
    if (!(await api(page, "/api/me")).report) {
        await expect(page.getByText("This sensor makes no reports.")).toBeVisible();
        return;
    }
    await expect(page.frameLocator("iframe.report").locator("h1").first()).toBeVisible();
    for (const format of ["PDF", "HTML", "CSV", "JSON", "Text"]) {
        const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: format, exact: true }).click()]);
        const { statSync } = await import("node:fs");
        expect(statSync(await download.path()).size, format).toBeGreaterThan(500);
    }
    await page.getByRole("button", { name: "Last month" }).click();
    await expect(page).toHaveURL(/from=\d{4}-\d\d-01/);
});

test("a sensor that saw nothing says so on every page", async ({ page }) => {
    for (const [hash, words] of [["overview", "No DNS was seen in this period"], ["events?kind=downgrade", "No event matches"], ["clients", "No client was seen yet"], ["resolvers", "No resolver was seen yet"]]) {
        await visit(page, hash, EMPTY);
        await expect(page.getByText(words).first()).toBeVisible();
    }
});

test("a token lets in, a wrong one does not, and no script can read the cookie", async ({ page }) => {
    page.expected = /401/;
    await page.goto(MANY);
    await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
    await accessible(page);
    await page.getByLabel("Token").fill("not-it");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("alert")).toContainText("not one of this sensor's");
    await signIn(page, "analyst");
    await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
    expect(await page.evaluate(() => document.cookie)).toBe("");
});

test("who may not see clients sees pseudonyms, and is offered no way around them", async ({ page }) => {
    await signIn(page, "auditor");
    for (const hash of ["overview", "events", "clients"]) {
        await visit(page, hash, MANY);
        await expect(page.getByText("pseudonyms").first()).toBeVisible();
        await expect(page.locator("main tbody tr").first()).toBeVisible();
        expect(await page.locator("main").innerText()).not.toMatch(/\b10\.0\.\d+\.\d+/);
    }
    await expect(page.locator("main tbody")).toContainText("client-");
    await expect(page.getByRole("searchbox")).toHaveCount(0);
    await visit(page, "events?kind=cleartext", MANY);
    await page.locator(".events-list a.event").first().click();
    await expect(page.locator(".detail")).toContainText("client-");
    expect(await page.locator(".detail").innerText()).not.toMatch(/\b10\.0\.\d+\.\d+/);
    await expect(page.getByRole("link", { name: "Download the capture" })).toHaveCount(0);
});

test("the way to the sensor is cut: the page says so and comes back", async ({ page }) => {
    page.expected = /ERR_|Failed to load/;
    await page.route("**/api/**", (route) => route.abort());
    await page.goto(LAB);
    await expect(page.getByRole("heading", { name: "The sensor does not answer" })).toBeVisible();
    await page.unroute("**/api/**");
    await page.getByRole("button", { name: "Try again" }).click();
    await settled(page);
    await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
});
