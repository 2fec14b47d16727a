#!/usr/bin/env python3
"""Can the lints fail? Each is run on a copy of the tree with one thing spoilt, and has to name the spoilt file."""
import pathlib
import shutil
import subprocess
import tempfile

from lint import Checks, ROOT

HERE = pathlib.Path(__file__).resolve().parent
LONG_BODY = "    if (n)\n        n--;\n" * 80
LAZY = "command " + "|" + "| true\n"

# Lint, the file that is spoilt, what is added at its end, a word of the complaint.
SPOILT = [
    ("layers.py", "sensor/detect/cleartext.c", '#include "store/store.h"\n', "may not know store/"),
    ("layers.py", "sensor/observe/dot.c", '#include "classify/dpi.h"\n', "may not know classify/"),
    ("layers.py", "sensor/base/addr.c", '#include "model/policy.h"\n', "may not know model/"),
    ("layers.py", "sensor/model/policy.c", '#include "conf/conf.h"\n', "may not know conf/"),
    ("layers.py", "sensor/decode/ip.c", '#include "walk.h"\n', "write the folder"),
    ("layers.py", "sensor/decode/gre.c", "#include <pcap.h>\n", "belongs to capture"),
    ("layers.py", "sensor/cli/check.c", "#include <sqlite3.h>\n", "belongs to store"),
    ("layers.py", "sensor/observe/tcp.c", "#include <pthread.h>\n", "belongs to engine"),
    ("layers.py", "sensor/output/eve.c", "#include <lz4.h>\n", "library without a room"),
    ("layers.py", "sensor/detect/tally.c", "long f(void);\nlong f(void) { return time(NULL); }\n", "reads a clock"),
    ("sizes.py", "sensor/base/addr.c", "int f(int n);\nint f(int n)\n{\n" + LONG_BODY + "    return n;\n}\n",
     "f() has 164"),
    ("sizes.py", "sensor/base/log.c", "int f(int a, int b, int (*c)(int, int), int d, int e, int g, int h)\n{\n"
     "    return a + b + c(d, e) + g + h;\n}\n", "f() has 7"),
    ("sizes.py", "sensor/base/hash.c", "int log_helper(int a)\n{\n    return a;\n}\n", "log_helper()"),
    ("sizes.py", "sensor/base/log.h", "\n" * 120, "has 1"),
    ("sizes.py", "sensor/base/time.c", "\n" * 1000, "has 1"),
    ("sizes.py", "sensor/base/util.c", "\n", "sensor/base/util.c"),
    ("headers.sh", "sensor/base/log.h", "nsec_t when(void);\n", "unknown type"),
    ("format.sh", "sensor/base/log.c", "int  f ( void ) ;\n", "is laid out"),
    ("words.py", "sensor/base/log.c", "/* " + "TO" + "DO */\n", "log.c"),
    ("words.py", "sensor/base/log.c", "#if 0\n#endif\n", "#if 0"),
    ("words.py", "sensor/base/log.c", "\tint a;\n", "int a;"),
    ("words.py", "tests/netns/report.sh", LAZY, "command"),
    ("words.py", "tests/netns/cell.sh", "cd /wo" + "rk/main\n", "main"),
    ("words.py", "tests/unit/base/test_addr.c", "assert_true(1);\n", "assert_true"),
    ("web.py", "dashboards/web/table.js", "document.body.innerHTML = name;\n", "table.js"),
    ("web.py", "dashboards/web/route.js", "eval(location.hash);\n", "route.js"),
    ("web.py", "dashboards/web/parts.js", "place.style.color = name;\n", "parts.js"),
    ("web.py", "dashboards/web/index.html", "<p onclick=\"go()\">\n", "index.html"),
    ("web.py", "dashboards/web/app.css", "@import 'https://fonts.example/';\n", "app.css"),
    ("web.py", "dashboards/web/package-lock.json", '"resolved": "https://packages.example"\n', "package-lock.json"),
]
# All that the lints read; the captures are left out, they are large.
WHOLE = ("sensor", "rules", "tests", "dashboards", ".clang-format", "CMakeLists.txt", "README.md", "packaging")
# These two read file by file: a small tree tells the same.
SMALL = {"headers.sh": ("sensor/base",), "format.sh": ("sensor/base", ".clang-format")}


def copy(parts, into):
    for part in parts:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, into / part, ignore=shutil.ignore_patterns("downgrade-*", "__pycache__"))
        elif (ROOT / part).exists():
            shutil.copy(ROOT / part, into / part)


def run(lint, tree):
    return subprocess.run([HERE / lint, tree], capture_output=True, text=True, check=False)


def complaint(lint, tree, name, text, word):
    """What is wrong with the lint: it has to fail, in a line with the file and the word."""
    file = tree / name
    before = file.read_bytes() if file.exists() else None
    with file.open("a", encoding="utf-8") as f:
        f.write(text)
    done = run(lint, tree)
    if before is None:
        file.unlink()
    else:
        file.write_bytes(before)
    named = any(line.startswith("not ok") and name in line and word in line for line in done.stdout.splitlines())
    if done.returncode == 0 or not named:
        yield f"exit status {done.returncode}, and no line names {name} and {word!r}"


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as temporary:
        trees = {}
        for lint, name, text, word in SPOILT:
            parts = SMALL.get(lint, WHOLE)
            if parts not in trees:
                trees[parts] = pathlib.Path(temporary) / str(len(trees))
                trees[parts].mkdir()
                copy(parts, trees[parts])
            checks.that(f"{lint} finds {text.strip().splitlines()[0] if text.strip() else 'the size'!r} in {name}",
                        complaint(lint, trees[parts], name, text, word))
    checks.end()


main()
