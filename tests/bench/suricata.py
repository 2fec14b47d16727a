"""Suricata with EVE in a folder of its own, and how many of its events it lost."""
import collections
import json
import os

CONFIGURATION = """%YAML 1.1
---
vars: {address-groups: {HOME_NET: any, EXTERNAL_NET: any}}
classification-file: @FOLDER@/empty.config
reference-config-file: @FOLDER@/empty.config
logging: {default-log-level: error, outputs: [{console: {enabled: yes}}]}
outputs:
  - eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [dns, tls, quic, flow]}
pcap-file: {checksum-checks: no}
app-layer:
  protocols:
    dns: {tcp: {enabled: yes, detection-ports: {dp: 53}}, udp: {enabled: yes, detection-ports: {dp: 53}}}
    tls: {enabled: yes, detection-ports: {dp: "443, 853"}}
    quic: {enabled: yes}
"""


def prepare(folder):
    os.makedirs(folder, exist_ok=True)
    for name, text in (("suricata.yaml", CONFIGURATION.replace("@FOLDER@", folder)), ("empty.config", ""), ("eve.json", "")):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    return folder


def events(folder):
    """How many of each kind; of QUIC and flows how many flows they tell of."""
    found, flows = collections.Counter(), collections.defaultdict(set)
    with open(os.path.join(folder, "eve.json"), encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            kind = event["event_type"]
            if kind == "dns":
                found[f"dns {event['dns']['type']}"] += 1
            else:
                flows[kind].add(event["flow_id"])
    found.update({kind: len(ids) for kind, ids in flows.items()})
    return found


def told(folder, manifest):
    """What it logged of what was made. Flows of QUIC count where their hello was logged."""
    found, made = events(folder), manifest["transports"]
    pairs = (("dns query", made["do53-udp"]["queries"]), ("dns answer", made["do53-udp"]["responses"]),
             ("tls", made["tls"]["flows"] + made["dot"]["flows"]), ("quic", made["quic"]["flows"]))
    said = [f"{min(found[kind], count)} of {count} {kind}, {max(count - found[kind], 0)} lost" for kind, count in pairs if count]
    return f"logged {'; '.join(said) or 'nothing that was made'}; {found['flow']} flows"
