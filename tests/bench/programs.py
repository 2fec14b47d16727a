"""The programs that sealdns is held against, each with how it reads a capture. One that is not installed is left out and said."""
import os
import shutil

import suricata


class Program:
    """small: it takes minutes and gigabytes on the large captures, so it gets one of its own of the same kind."""
    name, package, small = "", "", False

    def path(self):
        return shutil.which(self.name)

    def command(self, capture, scratch):
        raise NotImplementedError

    def told(self, manifest, scratch):
        """What is to be said of its last run, in a line; None: nothing."""


class Tcpdump(Program):
    name = package = "tcpdump"

    def command(self, capture, scratch):
        return [self.path(), "-r", capture, "-w", "/dev/null"]


class Loop(Program):
    """Built by run.sh."""
    name = "loop"

    def __init__(self, path):
        self.built = path

    def path(self):
        return self.built

    def command(self, capture, scratch):
        return [self.built, capture]


class Dnscap(Program):
    """It copies what goes over port 53, whole streams and fragments too."""
    name = package = "dnscap"

    def command(self, capture, scratch):
        return [self.path(), "-r", capture, "-T", "-f", "-w", "-"]


class NdpiReader(Program):
    name, package, small = "ndpiReader", "libndpi-bin", True

    def command(self, capture, scratch):
        return [self.path(), "-q", "-i", capture]


class Suricata(Program):
    """With EVE of dns, tls, quic and flow."""
    name, package, small = "suricata", "suricata (bookworm-backports)", True

    def command(self, capture, scratch):
        folder = suricata.prepare(os.path.join(scratch, "suricata"))
        return [self.path(), "-r", capture, "-c", os.path.join(folder, "suricata.yaml"), "-l", folder, "-S", "/dev/null",
                "--runmode", "single"]

    def told(self, manifest, scratch):
        return suricata.told(os.path.join(scratch, "suricata"), manifest)


def all_programs(loop):
    return [Tcpdump(), Loop(loop), Dnscap(), NdpiReader(), Suricata()]
