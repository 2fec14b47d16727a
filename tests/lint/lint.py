"""What the lints share: one line a check, the count at the end, and the tree they look at."""
import pathlib
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__ + "/../../..").resolve()


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def that(self, name, problems):
        """A check: passed when there are no problems; each of them is one line otherwise."""
        problems = list(problems)
        self.passed += not problems
        self.failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {name}" + (f": {problems[0]}" if problems else ""))
        for problem in problems[1:]:
            print(f"not ok {name}: {problem}")

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)


def sources(folder, *suffixes):
    """The files below a folder of the tree, by name, in order."""
    return sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in suffixes and p.is_file())


def shown(path):
    return str(path.relative_to(ROOT))
