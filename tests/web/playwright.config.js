/* Real Chromium against the real program: run.sh has both stand in one namespace and says by the environment where. */
import { defineConfig } from "@playwright/test";

export default defineConfig({
    testDir: ".",
    timeout: 45000,
    expect: { timeout: 15000 },
    workers: 2,
    fullyParallel: true,
    forbidOnly: true,
    retries: 0,
    reporter: [["./reporter.js"]],
    use: {
        baseURL: process.env.LAB_URL,
        browserName: "chromium",
        viewport: { width: 1280, height: 800 },
        colorScheme: "light",
        timezoneId: "Europe/Berlin",
        launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] },
    },
});
