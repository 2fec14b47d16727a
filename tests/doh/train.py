#!/usr/bin/env python3
"""Trains the tree of rules/detections/hidden-resolver.yaml: CART (Breiman et al., 1984), Gini impurity, integer thresholds, over
looks at recorded flows (label.py). Prints the nodes as YAML, and what cross-validation says of trees made this way: each seed, each
server and each role is left out once and judged by a tree that never saw it.

A tree says yes only where nature does: a question whose feature has a direction (ASKED) is asked only where the side that speaks
for DNS is the side it should be. And before the tree stand guards (--guard): beyond what DNS over HTTPS was ever seen to do, the
answer is no, whatever the rest looks like, since what is not DNS is without bounds and no recording holds all of it.
"""
import argparse
import collections
import csv
import sys

FIRST = "quic"  # the first column that is a feature
# What may be asked, and whether more of it speaks for DNS (1), against it (-1) or either (0). Not: how long a recording or a role
# lasted (lifetime_ms, *_records), QUIC (nothing of it was recorded), and what is of one implementation rather than of DNS: lengths of
# a server's frames (server_median) and lattices, which trees learned eagerly and carried to no other program.
ASKED = {"ratio_milli": -1, "burst_octets": -1, "client_p90": -1, "client_median": 0, "client_query_milli": 1, "answered_milli": 1,
         "server_small_milli": 1, "client_paired_milli": 0, "client_distinct_milli": 0}
FEW = 8  # flows below which a role weighs less than others
YES = 60  # confidence_min


def read(paths):
    rows = []
    for path in paths:
        with open(path, encoding="ascii") as file:
            rows += [row for row in csv.DictReader(file) if row["outcome"] == "behaviour"]
    names = list(rows[0])[list(rows[0]).index(FIRST):]
    looks = collections.Counter((r["session"], r["flow"]) for r in rows)
    for row in rows:
        row.update({name: int(row[name]) for name in names})
        row["weight"] = 1 / looks[row["session"], row["flow"]]
    balance(rows)
    return rows


def balance(rows):
    """Both classes weigh the same, and so do the roles of a class, since nobody knows how many there are of each outside."""
    flows = collections.Counter()
    for row in rows:
        flows[row["label"], row["role"]] += row["weight"]
    classes = collections.Counter()
    for (label, _), n in flows.items():
        classes[label] += min(1, n / FEW)
    for row in rows:
        n = flows[row["label"], row["role"]]
        row["weight"] *= sum(flows.values()) / 2 / classes[row["label"]] * min(1, n / FEW) / n


def parts(rows):
    """Of DNS and of all."""
    return sum(r["weight"] for r in rows if r["label"] == "doh"), sum(r["weight"] for r in rows)


def gini(doh, total):
    return 2 * doh * (total - doh) / total if total else 0


def allowed(name, low, low_total, high, high_total):
    return ASKED[name] * (high / high_total - low / low_total) >= 0


def best_question(rows, names, leaf):
    doh, total = parts(rows)
    best = (gini(doh, total) - 1e-9, None, None)
    for name in names:
        low = low_total = 0
        ordered = sorted(rows, key=lambda r, n=name: r[n])
        for this, following in zip(ordered, ordered[1:]):
            low_total += this["weight"]
            low += this["weight"] * (this["label"] == "doh")
            if this[name] == following[name] or low_total < leaf or total - low_total < leaf:
                continue
            impurity = gini(low, low_total) + gini(doh - low, total - low_total)
            if impurity < best[0] and allowed(name, low, low_total, doh - low, total - low_total):
                best = (impurity, name, (this[name] + following[name]) // 2)
    return best[1], best[2]


def leaf_of(rows):
    doh, total = parts(rows)
    return {"say": min(95, round(100 * (doh + 1) / (total + 2))), "flows": total}  # Laplace: few flows are never certain


def grow(rows, names, depth, leaf):
    name, most = best_question(rows, names, leaf) if depth else (None, None)
    if name is None:
        return leaf_of(rows)
    low = grow([r for r in rows if r[name] <= most], names, depth - 1, leaf)
    high = grow([r for r in rows if r[name] > most], names, depth - 1, leaf)
    if "say" in low and "say" in high and (low["say"] >= YES) == (high["say"] >= YES):
        return leaf_of(rows)
    return {"ask": name, "most": most, "low": low, "high": high}


def plant(rows, options):
    """The guards, and behind them what grows of the rows that pass."""
    no = {"say": 0, "flows": 0}
    rows = [{**r, "weight": r["weight"] * (options.web if r["label"] == "web" else 1)} for r in rows]
    for name, most, above in options.guard:
        rows = [r for r in rows if (r[name] > most) == above]
    tree = grow(rows, options.ask, options.depth - len(options.guard), options.leaf)
    for name, most, above in reversed(options.guard):
        tree = {"ask": name, "most": most, "low": no if above else tree, "high": tree if above else no}
    return tree


def listed(tree):
    """Breadth first: a node stands before its children."""
    nodes, out = [tree], []
    for node in nodes:
        if "say" in node:
            out.append(f"  - {{say: {node['say']}}}" + (f"  # {node['flows']:.0f} flows" if node["flows"] else "  # guard"))
            continue
        out.append(f"  - {{ask: {node['ask']}, most: {node['most']}, then: {len(nodes)}, other: {len(nodes) + 1}}}")
        nodes += [node["low"], node["high"]]
    return out


def says(tree, row):
    while "say" not in tree:
        tree = tree["low"] if row[tree["ask"]] <= tree["most"] else tree["high"]
    return tree["say"] >= YES


def verdicts(tree, rows):
    """By flow, as its latest look has it."""
    flows = {}
    for row in rows:
        flows[row["session"], row["flow"]] = (row, says(tree, row))
    return list(flows.values())


def matrix(found):
    n = collections.Counter((row["label"], said) for row, said in found)
    return f"DoH {n['doh', True]} told, {n['doh', False]} missed; web {n['web', False]} passed, {n['web', True]} told"


def cross(rows, options, key):
    """Each value of the key is judged by what the others teach."""
    found = []
    for value in sorted({r[key] for r in rows}):
        tree = plant([r for r in rows if r[key] != value], options)
        one = verdicts(tree, [r for r in rows if r[key] == value])
        found += one
        wrong = sum(said != (row["label"] == "doh") for row, said in one)
        if options.verbose and wrong:
            print(f"#     without {value}: {wrong} of {len(one)} flows wrong")
    return found


def guard(text):
    """burst_octets<=4000 or answered_milli>500."""
    for sign, above in (("<=", False), (">", True)):
        if sign in text:
            name, most = text.split(sign)
            return name, int(most), above
    raise argparse.ArgumentTypeError(f"neither NAME<=N nor NAME>N: {text}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, default=6, help="questions on the longest way, guards counted")
    parser.add_argument("--leaf", type=float, default=8, help="flows that a leaf holds at least, as they are weighed")
    parser.add_argument("--web", type=float, default=1, help="what a false alarm weighs beside a miss")
    parser.add_argument("--guard", type=guard, action="append", default=[], help="NAME<=N or NAME>N; may be given again")
    parser.add_argument("--ask", nargs="+", default=list(ASKED), choices=list(ASKED), metavar="NAME", help=f"features: {', '.join(ASKED)}")
    parser.add_argument("--held-out", nargs="*", default=[], metavar="CSV", help="is judged too, by flow")
    parser.add_argument("--verbose", action="store_true", help="what was wrong, by whom")
    parser.add_argument("training", nargs="+", metavar="CSV")
    return parser.parse_args()


def main():
    options = arguments()
    rows = read(options.training)
    tree = plant(rows, options)
    print("tree:\n" + "\n".join(listed(tree)))
    print(f"# training            {matrix(verdicts(tree, rows))}")
    for key in ("session", "server", "role"):
        print(f"# left out by {key:8}{matrix(cross(rows, options, key))}", flush=True)
    if options.held_out:
        found = verdicts(tree, read(options.held_out))
        print(f"# held out            {matrix(found)}")
        wrong = collections.Counter((r["label"], r["role"]) for r, said in found if said != (r["label"] == "doh"))
        for (label, role), count in wrong.most_common() if options.verbose else []:
            print(f"#     {label} of {role}: {count} wrong")


sys.exit(main())
