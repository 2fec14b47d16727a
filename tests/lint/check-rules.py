#!/usr/bin/env python3
"""Checks what stands under rules/: the catalogue, the detections and the policies.

Needs Debian's python3-yaml. Prints one line for each failure and, at the end, `N passed, N failed`.
With a folder as its argument it checks that folder instead of the repository's rules/. Without one it
also spoils copies of the rules on purpose, and fails if a spoilt copy passes.
"""
import datetime
import ipaddress
import pathlib
import re
import shutil
import sys
import tempfile

try:
    import yaml
except ImportError:
    sys.exit("check-rules: the package python3-yaml is missing")

ROOT = pathlib.Path(__file__).resolve().parents[2]
ID = re.compile(r"[a-z0-9][a-z0-9-]{0,46}")  # RULE_ID in model/finding.h holds 47 characters
LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = re.compile(rf"(\*\.)?({LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9]")
URL = re.compile(r"https://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d+)?(/[^{}\s]*)?")
TRANSPORTS = ["do53", "dot", "doq", "doh2", "doh3"]
FILTERING = {"none", "ads", "malware", "family", "policy", "account", "unknown"}
MARKS = {"memory", "shared-cdn"}
SIGNATURES = range(8530000, 8540000)
# struct policy_detection in model/policy.h: what it holds, without the final NUL
TEXTS = {"title": 80, "category": 63, "explanation": 767, "what_to_do": 511}
TREE_NODES, TREE_DEPTH = 127, 6
THRESHOLDS, THRESHOLD_NAME, METADATA = 40, 39, 255
LISTED = {"ordinary": 32, "names": 16}  # keys that hold domains, each with its reason, and how many at most
CONTROLS = (
    "NIST SP 800-81r3", "NIST SP 800-53r5 ", "NIST CSF 2.0 ", "OMB M-22-09", "CISA Encrypted DNS Guidance 1.0",
    "NSA Adopting Encrypted DNS 2021", "CIS v8.1 ", "PCI DSS 4.0.1 ", "ISO 27001:2022 A.", "NIS2 ",
    "DORA 2022/2554 ", "HIPAA ", "BSI ",
)


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """The plain loader lets the second of two equal keys win; here that is an error."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: key twice: {', '.join(map(str, twice))}")
        return super().construct_mapping(node, deep)


class Checks:
    def __init__(self, folder, quiet=False):
        self.folder, self.quiet = folder, quiet
        self.passed = self.failed = 0

    def that(self, good, where, message):
        if good:
            self.passed += 1
            return True
        self.failed += 1
        if not self.quiet:
            print(f"{where}: {message}")
        return False

    def load(self, path):
        where = path.relative_to(self.folder)
        try:
            document = yaml.load(path.read_text(encoding="utf-8"), Loader)
        except (OSError, yaml.YAMLError) as error:
            self.that(False, where, error)
            return None, where
        self.that(isinstance(document, dict), where, "is no mapping")
        return (document if isinstance(document, dict) else None), where

    def keys(self, entry, required, optional, where):
        missing = required - entry.keys()
        self.that(not missing, where, f"missing: {', '.join(sorted(missing))}")
        unknown = entry.keys() - required - optional
        self.that(not unknown, where, f"unknown key: {', '.join(sorted(map(str, unknown)))}")
        return not missing

    def unique(self, value, seen, where, what):
        self.that(value not in seen, where, f"{what} {value} also in {seen.get(value)}")
        seen.setdefault(value, where)


def words(prefix):
    """The words of one vocabulary of the program, from where it is written."""
    text = (ROOT / "sensor/model/vocabulary.h").read_text(encoding="utf-8")
    return set(re.findall(rf'X\({prefix}_\w+, "([a-z0-9-]+)"\)', text))


def features():
    text = (ROOT / "sensor/model/behaviour.h").read_text(encoding="utf-8")
    return set(re.findall(r'X\(FEATURE_\w+, "([a-z0-9_]+)"\)', text))


def address(text, parse=ipaddress.ip_address):
    try:
        return parse(text) if isinstance(text, str) else None
    except ValueError:
        return None


def strings(value):
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


def check_catalog_entry(checks, entry, addresses, names):
    where = f"catalog.yaml: {entry.get('id')}"
    required = {"id", "operator", "names", "addresses", "transports", "filtering", "source"}
    if not checks.keys(entry, required, {"shared", "doh", "marks"}, where):
        return
    checks.that(ID.fullmatch(str(entry["id"])), where, "id is not of [a-z0-9-]")
    lists = ["names", "addresses", "shared", "transports", "doh", "marks"]
    if not checks.that(all(strings(entry.get(key, [])) for key in lists), where, "a list holds no text"):
        return
    for name in entry["names"]:
        checks.that(len(name) < 254 and NAME.fullmatch(name), where, f"not a name: {name}")
        checks.unique(name, names, where, "name")
    for text in entry["addresses"] + entry.get("shared", []):
        parsed = address(text)
        if checks.that(parsed is not None, where, f"not an address: {text}"):
            checks.that(str(parsed) == text, where, f"{text} is written {parsed}")
            checks.that(parsed.is_global, where, f"not an address of the Internet: {text}")
            checks.unique(parsed, addresses, where, "address")
    checks.that(entry["names"] or entry["addresses"], where, "neither name nor address")
    served = entry["transports"]
    checks.that(served and served == [t for t in TRANSPORTS if t in served], where,
                f"transports are of {' '.join(TRANSPORTS)}, once, in this order")
    checks.that(entry["addresses"] or "do53" not in served or entry.get("shared"), where, "do53 without an address")
    for url in entry.get("doh", []):
        match = URL.fullmatch(url)
        host = match.group(1).strip("[]") if match else None
        checks.that(host in entry["names"] or host in entry["addresses"], where, f"doh host is not its own: {url}")
    checks.that(("doh2" in served or "doh3" in served) or not entry.get("doh"), where, "doh without doh2 or doh3")
    checks.that(entry["filtering"] in FILTERING, where, f"filtering is one of {', '.join(sorted(FILTERING))}")
    marks = set(entry.get("marks", []))
    checks.that(marks <= MARKS, where, f"marks are of {', '.join(sorted(MARKS))}")
    checks.that(("shared-cdn" in marks) == bool(entry.get("shared")), where, "shared and the mark shared-cdn go together")
    checks.that(entry["source"] != "memory" or "memory" in marks, where, "source memory without its mark")


def check_catalog(checks):
    catalog, where = checks.load(checks.folder / "catalog.yaml")
    if catalog is None or not checks.keys(catalog, {"version", "resolvers"}, {"outer_names"}, where):
        return set()
    checks.that(catalog["version"] == 1, where, "version is 1")
    entries = catalog["resolvers"]
    if not checks.that(isinstance(entries, list) and all(isinstance(e, dict) for e in entries), where, "no list of entries"):
        return set()
    for name in catalog.get("outer_names", []):
        checks.that(NAME.fullmatch(str(name)), where, f"outer_names: not a name: {name}")
    ids = [str(entry.get("id")) for entry in entries]
    checks.that(len(set(ids)) == len(ids), where, "an id is there twice")
    checks.that(ids == sorted(ids), where, "entries are not sorted by id")
    addresses, names = {}, {}
    for entry in entries:
        check_catalog_entry(checks, entry, addresses, names)
    return set(ids)


def check_thresholds(checks, thresholds, where):
    if not checks.that(isinstance(thresholds, dict), where, "thresholds is no mapping"):
        return
    checks.that(len(thresholds) <= THRESHOLDS, where, f"more than {THRESHOLDS} thresholds")
    for key, value in thresholds.items():
        good = type(value) is int and 0 <= value < 2**31 and re.fullmatch(r"[a-z][a-z0-9_]*", str(key))
        checks.that(len(str(key)) <= THRESHOLD_NAME, where, f"threshold {key} is longer than {THRESHOLD_NAME}")
        if not checks.that(good, where, f"threshold {key} is not a whole number from 0"):
            continue
        if key.startswith("severity_"):
            checks.that(1 <= value <= 4, where, f"{key} is 1 to 4")
        if key.startswith(("weight_", "confidence_")):
            checks.that(value <= 100, where, f"{key} is a percentage")


def check_listed(checks, key, listed, where):
    good = isinstance(listed, list) and all(isinstance(e, dict) and strings(list(e.values())) for e in listed)
    if not checks.that(good and len(listed) <= LISTED[key], where, f"{key} is no list of at most {LISTED[key]} domains"):
        return
    for entry in listed:
        checks.keys(entry, {"domain", "reason"}, set(), f"{where}: {key}")
        domain = entry.get("domain", "")
        checks.that(len(domain) < 64 and NAME.fullmatch(domain), where, f"not a domain: {domain}")
    domains = [entry.get("domain") for entry in listed]
    checks.that(len(set(domains)) == len(domains), where, f"a domain of {key} is there twice")


def check_tree(checks, nodes, where):
    """A decision tree of model/behaviour.h: a node stands before its children, and each but the first is one's child."""
    if not checks.that(isinstance(nodes, list) and 0 < len(nodes) <= TREE_NODES, where, f"tree holds 1 to {TREE_NODES} nodes"):
        return
    depth = {0: 0}
    for i, node in enumerate(nodes):
        spot = f"{where}: node {i} of the tree"
        if not checks.that(isinstance(node, dict) and i in depth, spot, "is no child of a node before it"):
            return
        if "say" in node:
            checks.that(node.keys() == {"say"} and 0 <= node["say"] <= 100, spot, "a leaf is {say: 0 to 100}")
            continue
        good = node.keys() == {"ask", "most", "then", "other"} and node["ask"] in features()
        if not checks.that(good, spot, "is {ask: FEATURE, most: N, then: I, other: J}"):
            return
        for child in (node["then"], node["other"]):
            good = i < child < len(nodes) and child not in depth and depth[i] < TREE_DEPTH
            checks.that(good, spot, f"child {child} is none, another's, or too deep")
            depth[child] = depth[i] + 1


def check_detection(checks, path, kinds, ids, signatures):
    entry, where = checks.load(path)
    required = {"id", "kind", "signature_id", "rev", "title", "category", "severity", "thresholds", "attack",
                "controls", "false_positives", "explanation", "what_to_do"}
    if entry is None or not checks.keys(entry, required, {"signatures", "tree", *LISTED}, where):
        return
    checks.that(ID.fullmatch(str(entry["id"])), where, "id is not of [a-z0-9-]")
    checks.that(entry["id"] == path.stem, where, "id is not the file's name")
    checks.unique(entry["id"], ids, where, "id")
    checks.that(entry["kind"] in kinds, where, f"no such kind: {entry['kind']}")
    by_transport = entry.get("signatures", {})
    if checks.that(isinstance(by_transport, dict) and by_transport.keys() <= words("TRANSPORT"), where,
                   "signatures is a mapping of transports"):
        for signature in [entry["signature_id"], *by_transport.values()]:
            checks.that(type(signature) is int and signature in SIGNATURES, where, f"signature out of range: {signature}")
            checks.unique(signature, signatures, where, "signature")
    checks.that(type(entry["rev"]) is int and entry["rev"] > 0, where, "rev counts from 1")
    checks.that(type(entry["severity"]) is int and 1 <= entry["severity"] <= 4, where, "severity is 1 to 4")
    check_thresholds(checks, entry["thresholds"], where)
    for key in LISTED:
        check_listed(checks, key, entry.get(key, []), where)
    if "tree" in entry:
        check_tree(checks, entry["tree"], where)
    for key, most in TEXTS.items():
        good = isinstance(entry[key], str) and 0 < len(entry[key].strip().encode()) <= most
        checks.that(good, where, f"{key} is no text of 1 to {most} bytes")
    checks.that(strings(entry["false_positives"]) and entry["false_positives"], where, "false_positives is empty")
    checks.that(len("\n".join(map(str, entry["false_positives"])).encode()) < 1536, where, "false_positives are over 1,535 bytes together")
    checks.that(strings(entry["attack"]) and all(re.fullmatch(r"T\d{4}(\.\d{3})?", t) for t in entry["attack"]),
                where, "attack holds technique ids such as T1071.004")
    checks.that(strings(entry["controls"]) and entry["controls"] and
                all(control.startswith(CONTROLS) for control in entry["controls"]), where,
                "controls name no catalogue that the reports know")
    metadata = ",".join(map(str, entry["attack"] + entry["controls"]))
    checks.that(len(metadata.encode()) <= METADATA, where, f"attack and controls are more than {METADATA} bytes together")


def measures():
    """Those that a report gives, by what sensor/report/ says."""
    text = "".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "sensor" / "report").glob("*.c")))
    return set(re.findall(r'build_measure\(b, "(\w+)"', text)) | set(re.findall(r'\{KIND_\w+, "(\w+)"\}', text))


def check_controls(checks, path, ids, known):
    entry, where = checks.load(path)
    if entry is None or not checks.keys(entry, {"id", "title", "source", "controls"}, set(), where):
        return
    checks.that(entry["id"] == path.stem, where, "id is not the file's name")
    seen = {}
    for control in entry["controls"]:
        spot = f"{where}: {control.get('id')}"
        if not checks.keys(control, {"id", "title", "covered", "limits"}, {"evidence", "measures"}, spot):
            continue
        checks.unique(control["id"], seen, spot, "id")
        checks.that(control["covered"] in {"none", "partial", "full"}, spot, "covered is none, partial or full")
        checks.that(control["covered"] == "none" or control.get("evidence"), spot, "is covered without evidence")
        for key, most in {"title": 191, "evidence": 511, "limits": 511}.items():
            checks.that(len(str(control.get(key, "")).encode()) <= most, spot, f"{key} is over {most} bytes")
        for measure in control.get("measures", []):
            checks.that(measure.get("measure") in known, spot, f"no report has the measure {measure.get('measure')}")
            checks.that(measure.keys() <= {"measure", "least", "most"}, spot, "a measure has least and most")


def check_zone(checks, zone, resolvers, networks, where):
    where = f"{where}: zone {zone.get('id')}"
    known = {"networks", "approve", "cleartext", "unapproved", "bootstrap"}
    checks.keys(zone, {"id"}, known, where)
    checks.that(set(zone.get("approve", [])) <= resolvers, where, "approves a resolver that nobody defined")
    for key in ("cleartext", "unapproved"):
        # `redirect` also needs `redirect_to`: no policy here uses it
        checks.that(zone.get(key, "alert") in words("ACTION") - {"redirect"}, where, f"{key}: no such action")
    for text in zone.get("networks", []):
        network = address(text, ipaddress.ip_network)
        if checks.that(network is not None, where, f"not a network: {text}"):
            checks.unique(network, networks, where, "network")


def check_policy(checks, path, catalog):
    policy, where = checks.load(path)
    known = {"sensor", "store", "control", "resolvers", "zones", "exceptions", "outputs"}
    if policy is None or not checks.keys(policy, {"sensor", "zones"}, known, where):
        return
    checks.that(policy["sensor"].get("mode", "monitor") in words("MODE"), where, "sensor.mode: no such mode")
    resolvers = set()
    for entry in policy.get("resolvers", []):
        checks.keys(entry, {"id"}, {"name", "addresses", "transports", "pins", "ca", "catalog"}, where)
        checks.that(entry["id"] not in resolvers, where, f"resolver twice: {entry['id']}")
        resolvers.add(entry["id"])
        checks.that(entry.get("catalog") in catalog | {None}, where, f"not in the catalogue: {entry.get('catalog')}")
        checks.that(set(entry.get("transports", [])) <= set(TRANSPORTS), where, "no such transport")
        for text in entry.get("addresses", []):
            checks.that(address(text), where, f"not an address: {text}")
    networks = {}
    for zone in policy["zones"]:
        check_zone(checks, zone, resolvers, networks, where)
    for entry in policy.get("exceptions", []):
        checks.keys(entry, {"client", "until", "owner", "reason"}, set(), where)
        checks.that(address(entry.get("client")), where, "exception without a client's address")
        checks.that(isinstance(entry.get("until"), datetime.date), where, "exception without an end")


def check_folder(folder, quiet=False):
    checks = Checks(folder, quiet)
    catalog = check_catalog(checks)
    kinds, ids, signatures = words("KIND"), {}, {}
    checks.that(kinds, "sensor/model/vocabulary.h", "has no kinds")
    detections = sorted((folder / "detections").glob("*.yaml"))
    checks.that(detections, "detections", "is empty")
    for path in detections:
        check_detection(checks, path, kinds, ids, signatures)
    controls, known = sorted((folder / "controls").glob("*.yaml")), measures()
    checks.that(controls and known, "controls", "is empty")
    for path in controls:
        check_controls(checks, path, ids, known)
    for path in [folder / "policy.yaml", *sorted((folder / "examples").glob("*.yaml"))]:
        check_policy(checks, path, catalog)
    return checks


SPOILT = [  # file, what stands there, what is put in its place: each must be found
    ("catalog.yaml", "9.9.9.9,", "9.9.9.999,"),
    ("catalog.yaml", "9.9.9.9,", "8.8.8.8,"),
    ("catalog.yaml", "9.9.9.9,", "10.9.9.9,"),
    ("catalog.yaml", '"2620:fe::fe"', '"2620:00fe::fe"'),
    ("catalog.yaml", "dns9.quad9.net", "DNS9.quad9.net"),
    ("catalog.yaml", "dns9.quad9.net", "dns9.quad9.net."),
    ("catalog.yaml", "dns9.quad9.net", "dns.google"),
    ("catalog.yaml", "id: quad9", "id: zz"),
    ("catalog.yaml", "id: quad9", "id: quad101"),
    ("catalog.yaml", "marks: [shared-cdn]", "marks: []"),
    ("catalog.yaml", "[do53, dot, doh2]", "[do53, dot, doh]"),
    ("catalog.yaml", "https://dns.quad9.net/", "https://dns.quad8.net/"),
    ("catalog.yaml", "    operator: Quad9\n", ""),
    ("catalog.yaml", "    operator: Quad9\n", "    operator: Quad9\n    operator: Quad9\n"),
    ("detections/downgrade.yaml", "signature_id: 8530020", "signature_id: 8530010"),
    ("detections/downgrade.yaml", "signature_id: 8530020", "signature_id: 8540000"),
    ("detections/downgrade.yaml", "id: downgrade", "id: upgrade"),
    ("detections/downgrade.yaml", "kind: downgrade", "kind: upgrade"),
    ("detections/downgrade.yaml", "severity: 2", "severity: 5"),
    ("detections/downgrade.yaml", "race_window_s: 5", "race_window_s: 5.5"),
    ("detections/downgrade.yaml", "T1562.010", "T156.010"),
    ("detections/downgrade.yaml", "NIST SP 800-81r3", "NIST"),
    ("detections/tunnel.yaml", "domain: sophosxl.net", "domain: sophosxl_.net."),
    ("detections/tunnel.yaml", "reason: ", "because: "),
    ("detections/hidden-resolver.yaml", "then: 1, ", "then: 0, "),
    ("detections/hidden-resolver.yaml", "other: 2}", "other: 1}"),
    ("detections/hidden-resolver.yaml", "{say: ", "{says: "),
    ("detections/hidden-resolver.yaml", "{ask: ", "{ask: no_"),
    ("catalog.yaml", "- cloudflare-ech.com", "- cloudflare ech"),
    ("controls/cis-v8.1.yaml", "measure: query_log", "measure: query_logs"),
    ("controls/cis-v8.1.yaml", 'id: "8.6"', 'id: "4.9"'),
    ("controls/cis-v8.1.yaml", "covered: none", "covered: partial"),
    ("policy.yaml", "mode: monitor", "mode: observe"),
    ("policy.yaml", "approve: []", "approve: [nobody]"),
    ("policy.yaml", "10.0.0.0/8", "10.0.0.1/8"),
    ("examples/office.yaml", "catalog: quad9", "catalog: quad8"),
    ("examples/office.yaml", "owner: netops, ", ""),
]


def spoil(checks, name, old, new):
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "rules"
        shutil.copytree(checks.folder, folder)
        text = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        found = old in text and check_folder(folder, quiet=True).failed > 0
        checks.that(found, "check-rules.py", f"does not find {new!r} for {old!r} in {name}")


def main():
    folder = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "rules"
    checks = check_folder(folder)
    if len(sys.argv) == 1 and not checks.failed:
        for name, old, new in SPOILT:
            spoil(checks, name, old, new)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
