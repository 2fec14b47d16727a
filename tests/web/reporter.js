/* One line a test and the count at the end, as every suite of this tree has it. */
export default class {
    counts = { passed: 0, failed: 0, skipped: 0 };

    /* What was measured. */
    onStdOut(said) {
        process.stdout.write(said);
    }

    onTestEnd(test, result) {
        const name = test.titlePath().slice(3).join(": "), ok = result.status === test.expectedStatus;
        const why = () => (result.error?.message ?? result.status).replace(/\u001b\[[0-9;]*m/g, "").split("\n").filter(Boolean).slice(0, 6).join(" | ");
        this.counts[result.status === "skipped" ? "skipped" : ok ? "passed" : "failed"]++;
        console.log(result.status === "skipped" ? `skip ${name}` : ok ? `ok ${name} (${result.duration} ms)` : `not ok ${name}: ${why()}`);
    }

    onError(error) {
        this.counts.failed++;
        console.log(`not ok ${error.message}`);
    }

    onEnd() {
        const { passed, failed, skipped } = this.counts;
        console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
    }
}
