#!/usr/bin/env python3
"""A bill of materials of a program, CycloneDX 1.5 as JSON: the Debian packages of the libraries it is linked with, also those
that these are linked with in turn.

    sbom.py PROGRAM             writes it to standard output
    sbom.py --check SBOM PROGRAM    is it this program's, and are these the packages that are installed

The same program on the same packages gives the same bytes.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path


def said_by(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def libraries(program):
    """Where the loader finds what the program needs."""
    return sorted({os.path.realpath(path) for path in re.findall(r"(/\S+) \(0x", said_by("ldd", program))})


def owners(paths):
    """The packages of these files; dpkg may know a file by its name before /usr was merged."""
    found = set()
    for path in paths:
        for name in (path, path.removeprefix("/usr")):
            search = subprocess.run(["dpkg-query", "-S", name], text=True, capture_output=True)
            if search.returncode == 0:
                found.add(search.stdout.split(": ")[0].split(",")[0])
                break
        else:
            sys.exit(f"sbom.py: no package has {path}")
    return sorted(found)


def component(package):
    form = "${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\t${Homepage}"
    name, version, architecture, source, source_version, home = said_by("dpkg-query", "-W", "-f", form, package).split("\t")
    purl = f"pkg:deb/debian/{name}@{version.replace(':', '%3A').replace('+', '%2B')}?arch={architecture}"
    made = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
            "properties": [{"name": "debian:source", "value": f"{source} {source_version}"}]}
    if home:
        made["externalReferences"] = [{"type": "website", "url": home}]
    return made


def bill(program):
    version = said_by(program, "--version").split()[1]
    ref = f"sealdns@{version}"
    parts = [component(p) for p in owners(libraries(program))]
    made = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": ref, "name": "sealdns", "version": version}},
        "components": parts,
        "dependencies": [{"ref": ref, "dependsOn": [p["bom-ref"] for p in parts]}],
    }
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch:
        made["metadata"]["timestamp"] = said_by("date", "-u", "-d", f"@{epoch}", "+%Y-%m-%dT%H:%M:%SZ").strip()
    digest = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).digest()
    made["serialNumber"] = f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}"
    return made


def check(sbom, program):
    """Every library of the program is in a package that is listed, with its version, and nothing else is."""
    listed = {(c["name"], c["version"]) for c in json.loads(Path(sbom).read_text())["components"]}
    linked = {(c["name"], c["version"]) for c in bill(program)["components"]}
    for name, version in sorted(listed ^ linked):
        print(f"{name} {version}: {'not linked' if (name, version) in listed else 'not listed'}")
    return listed != linked or not linked


if len(sys.argv) == 4 and sys.argv[1] == "--check":
    sys.exit(check(sys.argv[2], sys.argv[3]))
if len(sys.argv) != 2:
    sys.exit(__doc__)
json.dump(bill(sys.argv[1]), sys.stdout, indent=1)
print()
