"""Reads what callgrind wrote and puts each instruction to the account of a stage, that is of a folder of sensor/.

Code of a stage is that stage's, also where the compiler put it into another function (the line's file tells). What stages share
(base/, model/, libraries) goes to who called it, in proportion to what each caller spent there; but all of libndpi is
nDPI's, whoever asks it."""
import collections
import functools
import os
import re

STAGES = ("start", "capture", "decode", "flow lookup", "DNS walk", "TLS, QUIC", "nDPI", "observe", "ring", "account", "detect",
          "decide", "store", "output", "engine", "document", "other")
# The first that fits a path below sensor/.
FILES = [(re.compile(pattern), stage) for pattern, stage in (
    (r"capture/", "capture"), (r"decode/", "decode"), (r"observe/(flows|flow|wheel|pool)\.", "flow lookup"),
    (r"observe/", "observe"), (r"classify/dns_", "DNS walk"), (r"classify/ndpi\.", "nDPI"), (r"classify/", "TLS, QUIC"),
    (r"base/(ring|trail)\.", "ring"), (r"(base|model)/", None), (r"account/", "account"), (r"detect/", "detect"),
    (r"decide/", "decide"), (r"store/", "store"), (r"output/", "output"), (r"engine/", "engine"), (r"conf/", "start"),
    (r"cli/", "document"), (r"", "other"))]
OWNED = (("libndpi", "nDPI"),)  # objects that belong to one stage
ROUNDS = 60  # of shares handed from callers to what they call; calls among libraries are seldom ten deep

# Two static functions may have one name, so the file belongs to it.
Function = collections.namedtuple("Function", "object file name")


@functools.lru_cache(maxsize=None)
def stage_of_file(path):
    """None: shared, or no file of the sensor's."""
    parts = path.rsplit("/sensor/", 1)
    if len(parts) != 2:
        return None
    return next(stage for pattern, stage in FILES if pattern.match(parts[1]))


class Names:
    """The table of one kind: "(number) name" the first time, "(number)" from then on."""

    def __init__(self):
        self.known = {}

    def of(self, text):
        number, _, name = text.partition(" ")
        if name:
            self.known[number] = name
        return self.known[number]


class Profile:
    """costs: {(function, stage of the line or None): own instructions}; calls: {(function, stage of the line, called): instructions}"""

    def __init__(self, path):
        self.costs, self.calls = collections.Counter(), collections.Counter()
        self.objects, self.files, self.functions = Names(), Names(), Names()
        with open(path, encoding="utf-8", errors="replace") as lines:
            self.read(line.rstrip("\n") for line in lines)

    def read(self, lines):
        """Where an object or a file is not named again it is the current one's."""
        current, where, called, object_, file_ = None, None, {}, "???", "???"
        for line in lines:
            key, _, value = line.partition("=")
            if line[:1].isdigit() or line[:1] in ("+", "-", "*"):
                cost = int(line.split()[1])
                if "cfn" in called:
                    callee = Function(called.get("cob", object_), called.get("cfi", file_), called["cfn"])
                    self.calls[current, where, callee] += cost
                    called = {}
                else:
                    self.costs[current, where] += cost
            elif key == "ob":
                object_ = os.path.basename(self.objects.of(value))
            elif key in ("fl", "fi", "fe"):
                file_ = self.files.of(value)
                where = stage_of_file(file_)
            elif key == "fn":
                current = Function(object_, file_, self.functions.of(value))
            elif key == "cob":
                called["cob"] = os.path.basename(self.objects.of(value))
            elif key in ("cfi", "cfl"):
                called["cfi"] = self.files.of(value)
            elif key == "cfn":
                called["cfn"] = self.functions.of(value)

    def owner(self, function, where):
        """The stage of code of this function on a line of that stage; None: it is shared."""
        for prefix, stage in OWNED:
            if function.object.startswith(prefix):
                return stage
        return where or stage_of_file(function.file)

    def shares(self):
        """{shared function: {stage: part}} by what its callers spent in it."""
        callers = collections.defaultdict(collections.Counter)
        for (caller, where, called), cost in self.calls.items():
            if caller != called and self.owner(called, None) is None:
                callers[called][self.owner(caller, where) or caller] += cost
        shares = {function: collections.Counter() for function in callers}
        for _ in range(ROUNDS):
            shares = {function: self.handed_down(by, shares) for function, by in callers.items()}
        return shares

    @staticmethod
    def handed_down(callers, shares):
        sums = collections.Counter()
        for caller, cost in callers.items():
            if isinstance(caller, str):
                sums[caller] += cost
            for stage, part in shares.get(caller, {}).items() if not isinstance(caller, str) else ():
                sums[stage] += cost * part
        total = sum(sums.values())
        return collections.Counter({stage: cost / total for stage, cost in sums.items()} if total else {})

    def by_function(self):
        """{function: {stage: own instructions}}; what has no caller in the sensor is the start's (the loader, libc)."""
        shares, found = self.shares(), collections.defaultdict(collections.Counter)
        for (function, where), cost in self.costs.items():
            stage = self.owner(function, where)
            for name, part in ({stage: 1} if stage else shares.get(function) or {"start": 1}).items():
                found[function][name] += cost * part
        return found

    def by_stage(self):
        total = collections.Counter()
        for stages in self.by_function().values():
            total.update(stages)
        return total
