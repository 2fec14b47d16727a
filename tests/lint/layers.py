#!/usr/bin/env python3
"""The one rule of the house: data goes one way, so a stage under sensor/ knows base/, model/ and itself.

    layers.py [TREE]

Names the file and the line that break it. A library's headers belong to the one folder that hides the library; the
clock belongs to engine/ and cli/.
"""
import re

from lint import Checks, ROOT, shown, sources

# A folder that is not named here may include base/, model/ and itself.
MAY_INCLUDE = {"base": {"base"}, "model": {"base", "model"}, "fleet": {"base", "model", "fleet", "store"}, "engine": None, "cli": None,
               "report": {"base", "model", "report", "store"}, "web": {"base", "model", "web", "store"}}

# Who includes which library. What is neither here nor part of libc is a library nobody has a room for.
LIBRARIES = [
    (r"xxhash\.h|ck_\w+\.h", {"base", "engine"}),
    (r"stdatomic\.h", {"base", "engine", "web"}),
    (r"libfyaml\.h|cyaml/.*", {"conf"}),
    (r"pcap(/.*)?\.h|linux/(if_packet|filter|bpf|sockios|net_tstamp)\.h|bpf/.*", {"capture"}),
    (r"zlib\.h|zstd(_errors)?\.h|lz4frame\.h", {"capture"}),
    (r"(ndpi/)?ndpi_\w+\.h|libknot/.*", {"classify"}),
    (r"nettle/.*", {"base", "classify", "output", "peer", "web"}),
    (r"libpsl\.h", {"account"}),
    (r"libnftnl/.*|libmnl/.*|linux/netfilter.*", {"enforce"}),
    (r"linux/(rtnetlink|netlink)\.h", {"enforce", "engine"}),
    (r"sqlite3\.h", {"store"}),
    (r"curses\.h", {"cli"}),
    (r"cairo[\w-]*\.h|pango/.*", {"report"}),
    (r"jansson\.h", {"cli", "engine", "output", "store", "report", "web"}),
    (r"librdkafka/.*", {"output"}),
    (r"curl/.*", {"output", "fleet"}),
    (r"microhttpd\.h", {"web"}),
    (r"openssl/.*", {"base", "probe", "output", "report", "store"}),
    (r"nghttp2/.*|ngtcp2/.*|gnutls/.*", {"probe"}),
    (r"seccomp\.h|cap-ng\.h|linux/(seccomp|landlock|capability)\.h", {"priv"}),
    (r"systemd/sd-daemon\.h|pthread\.h", {"engine"}),
]
LIBC = re.compile(
    r"(assert|ctype|dirent|endian|errno|fcntl|fnmatch|getopt|glob|grp|ifaddrs|inttypes|limits|locale|math|netdb|"
    r"poll|pwd|regex|sched|signal|spawn|stdarg|stdbool|stddef|stdint|stdio|stdio_ext|stdlib|string|strings|syslog|"
    r"termios|time|unistd)\.h|(sys|arpa|net|netinet|netpacket|linux)/\w+\.h")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
CLOCK = re.compile(r"\b(clock_gettime|gettimeofday|time)\s*\(\s*(CLOCK_\w+|NULL|0|&\w+)\s*[,)]|\bclock_now\(")
CLOCKS = {"engine", "cli"}


def lines(path):
    return enumerate(path.read_text(encoding="utf-8").splitlines(), 1)


def includes(path):
    for number, line in lines(path):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1), found.group(2)


def own_includes(folder, path):
    allowed = MAY_INCLUDE.get(folder, {"base", "model", folder})
    for number, own, _ in includes(path):
        if own is None or allowed is None:
            continue
        stage = own.split("/")[0]
        if "/" not in own or ".." in own:
            yield f"{shown(path)}:{number}: \"{own}\": write the folder, as \"{folder}/{own.split('/')[-1]}\""
        elif stage not in allowed:
            yield (f"{shown(path)}:{number}: {folder}/ may not know {stage}/ (\"{own}\"): it includes "
                   f"{', '.join(sorted(f'{a}/' for a in allowed))} only")


def libraries(folder, path):
    for number, _, header in includes(path):
        if header is None:
            continue
        rooms = next((rooms for pattern, rooms in LIBRARIES if re.fullmatch(pattern, header)), None)
        if rooms is None and not LIBC.fullmatch(header):
            yield f"{shown(path)}:{number}: <{header}> is a library without a room: see LIBRARIES in tests/lint/layers.py"
        elif rooms is not None and folder not in rooms:
            yield f"{shown(path)}:{number}: <{header}> belongs to {', '.join(sorted(rooms))}, not to {folder}/"


def clocks(folder, path):
    if folder in CLOCKS:
        return
    for number, line in lines(path):
        if CLOCK.search(line.split("/*")[0]):
            yield f"{shown(path)}:{number}: reads a clock: below engine/ time is an argument"


def of_folder(check, folder):
    for path in sources(f"sensor/{folder}", ".c", ".h"):
        yield from check(folder, path)


def main():
    checks = Checks()
    folders = sorted(p.name for p in (ROOT / "sensor").iterdir() if p.is_dir())
    checks.that("sensor/ has stages", [] if "base" in folders else ["no sensor/base"])
    for folder in folders:
        checks.that(f"{folder}/ includes only what it may know", of_folder(own_includes, folder))
        checks.that(f"{folder}/ includes only its own libraries", of_folder(libraries, folder))
        checks.that(f"{folder}/ reads no clock", of_folder(clocks, folder))
    checks.end()


main()
