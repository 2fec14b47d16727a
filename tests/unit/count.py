"""Counts the cases in what ctest wrote (JUnit): a program of cmocka holds many, a replay of a fuzz corpus as well.

    count.py REPORT STATUS-OF-CTEST
"""
import re
import sys
import xml.etree.ElementTree

PASSED = re.compile(r"^\[       OK \] (.*)|^ok   (.*)", re.MULTILINE)
FAILED = re.compile(r"^\[  FAILED  \] (\w+)$|^FAIL (.*)", re.MULTILINE)
REPLAYED = re.compile(r"^(\d+) inputs$", re.MULTILINE)


def cases(case):
    """Passed, failed (names), skipped of one program."""
    output = case.findtext("system-out") or ""
    if case.get("status") == "notrun" or case.find("skipped") is not None:
        return 0, [], 1
    passed = len(PASSED.findall(output)) + sum(map(int, REPLAYED.findall(output)))
    failed = sorted({a or b for a, b in FAILED.findall(output)})
    good = case.get("status") == "run" and case.find("failure") is None
    if not good and not failed:
        failed = ["it ended badly: " + (case.findtext("failure") or output.strip()[-400:] or "no output")]
    return (passed or 1) if good or failed and passed else 0, failed, 0


def main():
    totals = [0, 0, 0]
    suite = xml.etree.ElementTree.parse(sys.argv[1]).getroot()
    for case in suite.iter("testcase"):
        passed, failed, skipped = cases(case)
        totals = [totals[0] + passed, totals[1] + len(failed), totals[2] + skipped]
        print(f"{'not ok' if failed else 'skip' if skipped else 'ok'} {case.get('name')}: {passed} cases")
        for name in failed:
            print(f"not ok {case.get('name')}: {name}")
        if failed:
            print("\n".join("      " + line for line in (case.findtext("system-out") or "").splitlines()[-60:]))
    if not totals[0]:
        totals[1] += 1
        print("not ok units: ctest ran nothing")
    if int(sys.argv[2]) != 0 and totals[1] == 0:
        totals[1] += 1
        print(f"not ok units: ctest ended with {sys.argv[2]}")
    print("{} passed, {} failed, {} skipped".format(*totals) if totals[2] else "{} passed, {} failed".format(*totals))
    return 1 if totals[1] else 0


sys.exit(main())
