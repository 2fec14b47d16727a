/* What the tests of all pages share. */
import { execFileSync } from "node:child_process";
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test as base } from "@playwright/test";

export const LAB = process.env.LAB_URL, MANY = process.env.MANY_URL, EMPTY = process.env.EMPTY_URL;
export const PAGES = ["overview", "events", "clients", "resolvers", "enforcement", "compliance", "plan"];

/* Whatever a page says on its console, and each refusal by its policy, is a failure. */
export const test = base.extend({
    page: async ({ page }, use) => {
        const said = [];
        page.on("pageerror", (error) => said.push(error.stack));
        page.on("console", (message) => {
            if (message.type() === "error" && !page.expected?.test(message.text()))
                said.push(message.text());
        });
        await use(page);
        expect(said).toEqual([]);
    },
});
export { expect };

/* A page is there once it is that of the address and nothing of it waits. */
export async function visit(page, hash, url = LAB) {
    await page.goto(`${url}/#/${hash}`);
    await settled(page);
}

export async function settled(page) {
    await page.waitForFunction(() => document.querySelector("main").dataset.shown === location.hash && !document.querySelector("main .skeleton, main [aria-busy=true]"));
}

/* At the sensor with many events, which asks for a token. */
export async function signIn(page, who) {
    page.expected = /401/;
    await page.goto(MANY);
    await page.getByLabel("Token").fill(`token-of-the-${who}`);
    await page.getByRole("button", { name: "Sign in" }).click();
    await settled(page);
}

/* Within the page alone: the report's frame has its own test, and another blank page for each look takes a second. */
export async function accessible(page, rules) {
    const axe = new AxeBuilder({ page }).setLegacyMode(true).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]).exclude("iframe").exclude("tbody tr:nth-child(n + 5)"); // what follows is as the first rows are
    const found = await (rules ? axe.withRules(rules) : axe).analyze();
    expect(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.any[0]?.message ?? ""}`).slice(0, 3).join("; ")}`)).toEqual([]);
}

export async function fits(page) {
    const [wide, place] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    expect(wide, "the page is no wider than the screen").toBeLessThanOrEqual(place);
}

/* As the page itself asks the sensor that it came from. */
export async function api(page, path) {
    const [status, document] = await page.evaluate(async (asked) => {
        const answer = await fetch(asked);
        return [answer.status, await answer.json()];
    }, path);
    expect(status, path).toBe(200);
    return document;
}

/* What is seen goes on meanwhile, by the other tests' hands: the page is asked again until it and the sensor say the same. */
export const AT_ONCE = { timeout: 1000 };
export async function agree(page, look) {
    let first = true;
    await expect(async () => {
        if (!first) {
            await page.reload();
            await settled(page);
        }
        first = false;
        await look();
    }).toPass({ timeout: 20000 });
}

/* A program in a namespace of the lab. */
export const inside = (where, ...command) => execFileSync("ip", ["netns", "exec", `${process.env.LAB}-${where}`, ...command], { timeout: 10000, stdio: ["ignore", "pipe", "pipe"] }).toString();
/* A question in clear text, which the gateway refuses: an event. */
export const clear = (where, server) => {
    try {
        inside(where, "dig", "+short", "+tries=1", "+time=1", `@${server}`, "live.example.org");
    } catch {
        // refused, as it should be
    }
};
