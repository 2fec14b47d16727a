#!/bin/bash
# Replays the recorded cases through `sealdns analyze`: tests/pcap/replay.py [PATTERN].
exec "$(dirname "$0")/../pcap/replay.py" "$@"
