/* Every page: it stands, nothing is refused, axe finds nothing in either theme, and it fits a phone and a desk. */
import { LAB, MANY, PAGES, accessible, api, expect, fits, settled, signIn, test, visit } from "./steps.js";

async function subpages(page) {
    const { events } = await api(page, "/api/events?kind=downgrade&limit=1"), { clients } = await api(page, "/api/clients?limit=1"), { resolvers } = await api(page, "/api/resolvers?limit=1");
    return [...PAGES, `events/${events[0].sealdns.id}`, `clients/${encodeURIComponent(clients[0].client)}`, `resolvers/${encodeURIComponent(resolvers[0].server)}`];
}

const SIZES = [{ width: 320, height: 640 }, { width: 800, height: 1000 }, { width: 1920, height: 1080 }];

test("every page: axe is content, and it fits a phone, a tablet and a wide screen", async ({ page }) => {
    test.setTimeout(60000);
    await page.goto(LAB);
    for (const hash of await subpages(page)) {
        await visit(page, hash);
        await accessible(page);
        for (const size of SIZES) {
            await page.setViewportSize(size);
            await fits(page);
        }
    }
});

/* Colours are all that another theme changes. */
test("every page in the dark: enough contrast", async ({ page }) => {
    test.setTimeout(60000);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.goto(LAB);
    for (const hash of await subpages(page)) {
        await visit(page, hash);
        await accessible(page, ["color-contrast"]);
    }
});

test("on a phone the menu leads to a page, and axe is content", async ({ page }) => {
    await page.setViewportSize({ width: 375, height: 720 });
    await visit(page, "overview");
    await expect(page.getByRole("navigation", { name: "Pages" })).toBeHidden();
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByRole("link", { name: "Clients" }).click();
    await settled(page);
    await expect(page).toHaveURL(/#\/clients/);
    await accessible(page);
});

test("the switch of colours outlives the page", async ({ page }) => {
    await visit(page, "overview");
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByRole("button", { name: "Settings" }).click();
    await accessible(page);
    await page.getByRole("radio", { name: "Dark" }).check();
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.reload();
    await settled(page);
    expect(await ground()).toBe(dark);
});

test("times are of the clock that was chosen", async ({ page }) => {
    await visit(page, "events");
    const shown = () => page.locator("main td time").first().innerText();
    const utc = await shown();
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("radio", { name: "Local time" }).check();
    await page.keyboard.press("Escape");
    await settled(page);
    expect(await shown()).not.toBe(utc);
});

test("the pages weigh less than 300 kB, all of them", async ({ page }) => {
    const session = await page.context().newCDPSession(page), files = new Map();
    let packed = 0;
    await session.send("Network.enable");
    session.on("Network.loadingFinished", (e) => { packed += e.encodedDataLength; });
    page.on("response", (answer) => {
        if (!new URL(answer.url()).pathname.startsWith("/api/"))
            files.set(answer.url(), answer.body());
    });
    await page.goto(LAB);
    for (const hash of PAGES.slice(0, -1).filter((p) => p !== "compliance"))
        await visit(page, hash);
    await page.evaluate(() => Promise.all(["compliance", "plan", "login"].map((p) => import(`/pages/${p}.js`))));
    const plain = (await Promise.all(files.values())).reduce((sum, body) => sum + body.length, 0);
    console.log(`# ${files.size} files, ${plain} bytes plain, at most ${packed} sent with the answers of the API`);
    expect(plain).toBeLessThan(300000);
    expect([...files.keys()].some((url) => url.endsWith("/pages/plan.js"))).toBe(true);
});

test("printed, only what is of the page remains", async ({ page }) => {
    await visit(page, "overview");
    await page.emulateMedia({ media: "print" });
    await expect(page.getByRole("navigation", { name: "Pages" })).toBeHidden();
    await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
});

test("nobody else is asked, and no script of the page itself runs", async ({ page }) => {
    const hosts = new Set();
    page.on("request", (request) => hosts.add(new URL(request.url()).host));
    for (const hash of PAGES)
        await visit(page, hash);
    expect([...hosts]).toEqual([new URL(LAB).host]);
    page.expected = /Content Security Policy/;
    const ran = await page.evaluate(() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        const div = document.createElement("div");
        div.setAttribute("style", "color: red");
        return [window.ran === true, div.style.color === "red"];
    });
    expect(ran[0]).toBe(false);
});

test("built without charts, tables stand in their place", async ({ page }) => {
    page.expected = /404|dynamically imported/;
    await page.route("**/charts.js", (route) => route.fulfill({ status: 404, body: "" }));
    await visit(page, "overview");
    await expect(page.getByText("This build draws no charts").first()).toBeVisible();
    await expect(page.getByRole("table", { name: "Share of DNS that is sealed" })).toBeVisible();
    await accessible(page);
});

test("charts are drawn, and have a table beside them", async ({ page }) => {
    await signIn(page, "analyst");
    await visit(page, "overview", MANY);
    await expect(page.locator("canvas")).toHaveCount(2);
    await page.getByText("Show as a table").first().click();
    await expect(page.getByRole("table", { name: "Share of DNS that is sealed" })).toBeVisible();
});
