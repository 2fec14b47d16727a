"""What the speed of sealdns is held against, in one place. A goal that a run of captures tells is a line with `measure`; one that
another command measures is a line with that command, which is printed with it once it exists."""
import collections
import os

Goal = collections.namedtuple("Goal", "what wanted measure good command", defaults=(None, None, None))
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
ONE_PACKET = ("flood", "flood-syn")


def least(what, workload, other, bound, aim=None):
    """Packets a CPU second of sealdns as a multiple of another program's."""
    wanted = f"at least {bound:g}" + (f", aiming at {aim:g}" if aim else "")
    return Goal(what, wanted, lambda results: results.ratio(workload, other), lambda value: value >= bound)


def below(what, workload, megabytes):
    return Goal(what, f"under {megabytes} MB", lambda results: results.memory(workload), lambda value: value < megabytes)


def elsewhere(what, wanted, command):
    return Goal(what, wanted, command=command)


def exists(command):
    """The script is there and knows the switch."""
    script, *switches = command.split()
    path = os.path.join(ROOT, script)
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return all(switch in text for switch in switches)


GOALS = [
    least("dns against tcpdump -w /dev/null", "dns", "tcpdump", 0.4, 0.5),
    least("mix against tcpdump -w /dev/null", "mix", "tcpdump", 0.4, 0.5),
    *(least(f"{flood} against tcpdump -w /dev/null", flood, "tcpdump", 0.3) for flood in ONE_PACKET),
    *(below(f"{flood}: peak memory", flood, 100) for flood in ONE_PACKET),
    *(least(f"{workload} against ndpiReader", workload, "ndpiReader", bound)
      for workload, bound in (("dns", 30), ("mix", 5), ("flood", 50), ("flood-syn", 50))),
    *(least(f"{workload} against Suricata with EVE", workload, "suricata", bound)
      for workload, bound in (("dns", 30), ("mix", 4), ("flood", 20), ("flood-syn", 20))),
    Goal("every event logged, or counted as lost", "counts as made", lambda results: results.wrong, lambda value: value == 0),
    elsewhere("live on a veth pair, tcpreplay --topspeed", "loses nothing where tcpdump loses nothing", "tests/bench/run.sh --live"),
    elsewhere("shunt on the gateway mix, live", "user space sees under 25 % of the packets", "tests/netns/run-shunt.sh"),
    elsewhere("two capture threads against one", "at least 1.7", "tests/bench/run.sh --live --threads"),
    elsewhere("memory a flow after its verdict, 1,000,000 flows", "128 bytes, 160 MB", "tests/bench/run.sh --flows"),
    elsewhere("from the packet to the line in eve.json, light load", "p99 under 20 ms", "tests/bench/run.sh --alerts"),
]


def verdict(goal, results):
    """(reached, met, MISSED or what to run)."""
    if goal.command:
        return "-", goal.command if exists(goal.command) else "measured by no command yet"
    value = goal.measure(results)
    if value is None:
        return "-", "not in this run"
    return f"{value:.2f}" if isinstance(value, float) else str(value), "met" if goal.good(value) else "MISSED"


def judge(results):
    """(what, wanted, reached, verdict) of each."""
    return [(goal.what, goal.wanted, *verdict(goal, results)) for goal in GOALS]
