"""Holds an analyze document against the manifest of the capture it was made from: every count exactly."""
import collections
import datetime


def microseconds(text):
    """Of an ISO 8601 time."""
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round((moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) /
                 datetime.timedelta(microseconds=1))


def by_transport(conversations):
    found = collections.defaultdict(collections.Counter)
    for c in conversations:
        found[c["transport"]].update(conversations=1, flows=c["flows"], queries=c["queries"],
                                     responses=c["responses"])
    return found


def expect(name, ours, made):
    return [] if ours == made else [f"{name}: {ours}, the generator made {made}"]


def check_totals(document, manifest):
    capture = document["capture"]
    wrong = []
    for name in ("packets", "bytes"):
        wrong += expect("capture." + name, capture[name], manifest[name])
    wrong += expect("capture.malformed", capture["malformed"], manifest["malformed"])
    wrong += expect("capture.unsupported", capture["unsupported"], 0)
    for name, made in manifest["counters"].items():
        wrong += expect("counters." + name, document["counters"].get(name, 0), made)
    for name in ("first", "last"):
        wrong += expect("capture." + name, microseconds(capture[name]), manifest[name + "_us"])
    for name in ("queries", "responses", "malformed"):
        wrong += expect("dns." + name, document["dns"][name], manifest["dns"][name])
    return wrong


def check_transports(document, manifest):
    """Kind by kind when nothing was folded away; with folding only the sums can be held."""
    found, omitted = by_transport(document["conversations"]), document["omitted"]
    made = manifest["transports"]
    if omitted["conversations"] == 0:
        wrong = []
        for kind, fields in (("do53-udp", ("conversations", "queries", "responses")),
                             ("dot", ("conversations", "flows", "queries", "responses")),
                             ("tls", ("conversations", "flows")), ("quic", ("conversations", "flows"))):
            for field in fields:
                wrong += expect(f"{kind} {field}", found[kind][field], made[kind][field])
        return wrong
    pairs, flows = (sum(m[name] for m in made.values()) for name in ("conversations", "flows"))
    shown = len(document["conversations"]) + omitted["conversations"]
    # Where pairs come again, one that was folded away counts once more.
    wrong = expect("conversations and omitted", shown, pairs) if pairs == flows or shown < pairs else []
    for name, total in (("queries", sum(m["queries"] for m in made.values())), ("flows", flows)):
        wrong += expect(f"{name} of conversations and omitted",
                        sum(c[name] for c in document["conversations"]) + omitted[name], total)
    return wrong


def event_counts(document):
    """Each event once, however often it was revised."""
    kinds = {}
    for event in document["events"]:
        detail = event["sealdns"]
        kinds[detail.get("id", id(event))] = detail["kind"]
    return collections.Counter(kinds.values())


def event_totals(document):
    """What the events stand for: each one's own count in its last revision."""
    last = {}
    for event in document["events"]:
        detail = event["sealdns"]
        last[detail["id"]] = (detail["kind"], detail["count"])
    totals = collections.Counter()
    for kind, count in last.values():
        totals[kind] += count
    return totals


def check_events(document, manifest):
    """Every event is logged or counted: also where too many clients share one event."""
    totals = event_totals(document)
    return [line for kind, made in manifest["events"].items()
            for line in expect(f"counts of {kind} events", totals[kind], made)]


def check(document, manifest):
    """What is off, a line each; empty when all is as it was made."""
    return check_totals(document, manifest) + check_transports(document, manifest) + check_events(document, manifest)
