#!/usr/bin/env python3
"""Makes the manual: a page for each command out of what the command says of itself, with what NAME.8 here adds; and the pages
that are written here, with the lists in them that come from the tree.

    make.py PROGRAM DIRECTORY
"""
import re
import subprocess
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parents[1]
# `  -c, --config FILE  text`, `      --mode MODE    text`, `  show    text`
OPTION = re.compile(r"^(?:  (-\w), |      )(--[\w-]+)(?: (\S+))?(?:  +| ?$)(.*)$")
WORD = re.compile(r"^  ([a-z][\w-]*) +(\S.*)$")
EXIT = ("Exit status: 0 done, 1 failed while running, 2 the command line or the policy is wrong.")


def said_by(program, *arguments):
    return subprocess.run([program, *arguments], check=True, text=True, stdout=subprocess.PIPE).stdout


def escaped(text):
    """As mdoc takes a line: code in bold, each sentence on a line of its own."""
    text = re.sub(r"\s+", " ", text.strip()).replace("\\", r"\e").replace("`", "\0").replace("...", r"\&...")
    text = re.sub("\0([^\0]*)\0", r"\\fB\1\\fR", text)
    text = re.sub(r"(?<=[a-z)A-Z0-9:;][.?!]) (?=\S)", "\n", text)
    return wrapped(text)


def wrapped(text):
    """Each line of it as lines that are not too long and that no macro begins."""
    lines = [short for line in text.split("\n")
             for short in textwrap.wrap(line, 78, break_long_words=False, break_on_hyphens=False) or [""]]
    return "\n".join(r"\&" + line if line[:1] in ".'" else line for line in lines)


def head(name, section, summary):
    return [f".Dd {date()}", f".Dt {name.upper()} {section}", ".Os", ".Sh NAME", f".Nm {name}", f".Nd {summary}"]


def date():
    """The last word of the changelog: a page is not newer than the package."""
    last = (TREE / "packaging/debian/changelog" if (TREE / "packaging/debian/changelog").exists() else TREE / "debian/changelog")
    when = re.search(r"^ -- .*>  (.*)$", last.read_text(), re.M).group(1)
    return subprocess.run(["date", "-u", "-d", when, "+%B %-d, %Y"], check=True, text=True, stdout=subprocess.PIPE,
                          env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout.strip()


def commands(program):
    listed = said_by(program, "--help").split("Commands:\n")[1].split("\n\n")[0]
    return dict(re.match(r"  (\S+) +(.*)", line).groups() for line in listed.split("\n"))


def blocks(text):
    """The help as (usage, [block of lines])."""
    usage, _, rest = text.partition("\n\n")
    return usage.removeprefix("Usage: ").split("\n"), [b.split("\n") for b in rest.strip("\n").split("\n\n")]


def items(lines):
    """[(what, argument, text)] of a list of options or words."""
    found = []
    for line in lines:
        option, word = OPTION.match(line), WORD.match(line)
        if option:
            short, long, argument, text = option.groups()
            found.append([", ".join(x for x in (short, long) if x), argument or "", text])
        elif word:
            found.append([word.group(1), "", word.group(2)])
        else:
            found[-1][2] += " " + line.strip()
    return found


def flags(what):
    """`-c, --config` as mdoc has options."""
    return "Fl " + " , Fl ".join(name[1:].replace("-", r"\-", 1) if name.startswith("--") else name[1:]
                                 for name in what.split(", ")) if what.startswith("-") else f"Cm {what}"


def listed(lines):
    made = [".Bl -tag -width Ds"]
    for what, argument, text in items(lines):
        made += [f".It {flags(what)}" + (f" Ar {argument}" if argument else ""), escaped(text)]
    return made + [".El"]


def description(body):
    made, options = [], []
    for block in body:
        if OPTION.match(block[0]):
            options += listed(block)
        elif WORD.match(block[0]):
            made += listed(block)
        elif block[0].startswith("Exit status"):
            continue
        else:
            made += [".Pp", escaped(" ".join(block))]
    return made[1:] if made[:1] == [".Pp"] else made, options


def command_page(program, name, summary):
    text = said_by(program, name, "--help")
    usage, body = blocks(text)
    words, options = description(body)
    extra = HERE / f"sealdns-{name}.8"
    exits = [" ".join(b) for b in body if b[0].startswith("Exit status")]
    page = head(f"sealdns-{name}", 8, escaped(summary).replace("\n", " "))
    page += [".Sh SYNOPSIS", ".Bd -literal", *(line.removeprefix("       ") for line in usage), ".Ed", ".Sh DESCRIPTION", *words]
    if options:
        page += [".Sh OPTIONS", *options]
    page += [".Sh EXIT STATUS", escaped((exits or [EXIT])[0].removeprefix("Exit status:").strip())]
    if extra.exists():
        page += extra.read_text().rstrip("\n").split("\n")
    return page + [".Sh SEE ALSO", ".Xr sealdns.yaml 5 ,", ".Xr sealdns 8"]


def command_list(program):
    made = [".Bl -tag -width Ds"]
    for name, summary in commands(program).items():
        made += [f".It Xr sealdns-{name} 8", escaped(summary).replace("\n", " ")]
    return made + [".El"]


def member(text, key):
    """A value of one of our YAML files, plain or folded."""
    folded = re.search(rf"^{key}: >-\n((?:  .*\n)+)", text, re.M)
    plain = re.search(rf"^{key}: *\"?(.*?)\"?(?:  +#.*)?$", text, re.M)
    return folded.group(1) if folded else plain.group(1) if plain else ""


def detections(_):
    severities = {"1": "high", "2": "medium", "3": "low", "4": "informational"}
    made = [".Bl -tag -width Ds"]
    for path in sorted((TREE / "rules/detections").glob("*.yaml")):
        text = path.read_text()
        made += [f".It Cm {path.stem}",
                 escaped(f"Kind {member(text, 'kind')}, signature {member(text, 'signature_id')}, severity "
                         f"{severities[member(text, 'severity')]}: {member(text, 'title')}. {member(text, 'explanation')}")]
    return made + [".El"]


def metric_list(_):
    """As they are written in metrics.c, with the counters of stats.h where those come."""
    source = (TREE / "sensor/web/metrics.c").read_text()
    joined = re.sub(r'"\s*\n?\s*"', "", source)
    found = re.findall(r'"(\w+)",\s*"(counter|gauge)",\s*"([^"]+)"', joined)
    gauges = set(re.findall(r'strcmp\(name, "(\w+)"\)', source))
    stats = re.findall(r'X\((\w+),\s*"([^"]*)"\)', re.sub(r"\\\n", "", (TREE / "sensor/model/stats.h").read_text()))
    found += [(name if name in gauges else f"{name}_total", "gauge" if name in gauges else "counter", text) for name, text in stats]
    made = [".Bl -tag -width Ds"]
    for name, kind, text in sorted(found):
        made += [f".It Cm sealdns_{name} Pq {kind}", escaped(text)]
    return made + [".El"]


LISTS = {"commands": command_list, "detections": detections, "metrics": metric_list}


def literal(page):
    """Whether what comes next stands within .Bd and .Ed."""
    return sum(line.startswith(".Bd") for line in page) > sum(line.startswith(".Ed") for line in page)


def written_page(path, program):
    page = []
    for line in path.read_text().rstrip("\n").split("\n"):
        wanted = re.match(r'\.\\" @(\w+)@$', line)
        if wanted:
            page += LISTS[wanted.group(1)](program)
        elif line.startswith("."):
            page.append(line.replace("@DATE@", date()))
        else:
            page.append(line if literal(page) else wrapped(line))
    return page


def main(program, directory):
    out = Path(directory)
    out.mkdir(parents=True, exist_ok=True)
    for name, summary in commands(program).items():
        (out / f"sealdns-{name}.8").write_text("\n".join(command_page(program, name, summary)) + "\n")
    for path in sorted(HERE.glob("*.[578]")):
        if not path.name.startswith("sealdns-") or path.suffix != ".8":
            (out / path.name).write_text("\n".join(written_page(path, program)) + "\n")


if len(sys.argv) != 3:
    sys.exit(__doc__)
main(sys.argv[1], sys.argv[2])
