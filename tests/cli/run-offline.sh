#!/bin/bash
# Captures at scale: packed by gzip, zstd and lz4, from standard input, cut, damaged, larger than the memory, many at once.
# Whatever way the packets come, the document is the same byte for byte.
#
#   run-offline.sh [--all]
#
# SEALDNS names the binary (build/sealdns; not one with sanitizers, whose memory says nothing). Needs gzip, zstd, lz4, python3.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
LAB_ROOT=$(cd "$HERE/../.." && pwd)
. "$LAB_ROOT/tests/netns/report.sh"
. "$HERE/expect.sh"
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
printf 'sensor: {mode: monitor}\n' >"$SCRATCH/good.yaml"
CASE=$LAB_ROOT/tests/pcap/doh-hidden-web/capture.pcap
EVERY=16
[ "${1:-}" = --all ] && EVERY=1

analyze() { "$SEALDNS" analyze -c "$SCRATCH/good.yaml" --format json "$@"; }

# One thread, threads, and every format: every sixteenth case of the project (each with --all).
every_case() {
    local folder capture form count=0 wrong=0
    for folder in "$LAB_ROOT"/tests/pcap/*/; do
        count=$((count + 1))
        [ $((count % EVERY)) = 0 ] || continue
        capture=$folder/capture.pcap
        gzip -c "$capture" >"$SCRATCH/gzip"
        zstd -qc "$capture" >"$SCRATCH/zstd"
        lz4 -qc "$capture" >"$SCRATCH/lz4"
        "$SEALDNS" analyze -c "$folder/policy.yaml" --format json --one-thread "$capture" >"$SCRATCH/plain.json" || wrong=$((wrong + 1))
        for form in "$capture" "$SCRATCH/gzip" "$SCRATCH/zstd" "$SCRATCH/lz4"; do
            "$SEALDNS" analyze -c "$folder/policy.yaml" --format json "$form" | cmp -s - "$SCRATCH/plain.json" ||
                { wrong=$((wrong + 1)); echo "# $form of $folder differs"; }
        done
    done
    [ $wrong = 0 ] && [ $count -gt 100 ]
}

# Captures of the project one after the other in time, and each of them in five files by turns.
take_apart() {
    python3 - "$SCRATCH" "$LAB_ROOT"/tests/pcap/doh-hidden-{resolver,web}/capture.pcap <<'END'
import struct, sys
folder, paths = sys.argv[1], sys.argv[2:]
packets = []
for path in paths:
    data, at = open(path, "rb").read(), 24
    head = data[:24]
    while at < len(data):
        length = 16 + struct.unpack_from("<I", data, at + 8)[0]
        packets.append(data[at:at + length])
        at += length
packets.sort(key=lambda packet: struct.unpack_from("<II", packet))
open(f"{folder}/whole", "wb").write(head + b"".join(packets))
for i in range(5):
    open(f"{folder}/turn{i}", "wb").write(head + b"".join(p for n, p in enumerate(packets) if n // 7 % 5 == i))
for i in range(40):
    open(f"{folder}/slice{i:02}", "wb").write(head + b"".join(packets[len(packets) * i // 40:len(packets) * (i + 1) // 40]))
END
}

# as NAME FILES COMMAND...: the document of the whole, but for the number of files.
as_whole() {
    local name=$1 files=$2
    shift 2
    "$@" 2>"$SCRATCH/err" | sed "s/\"files\":$files,/\"files\":1,/" >"$SCRATCH/out"
    if cmp "$SCRATCH/out" "$SCRATCH/whole.json" >"$SCRATCH/cmp" 2>&1; then
        ok "$name"
    else
        not_ok "$name" "$(head -c 200 "$SCRATCH/cmp") $(head -c 200 "$SCRATCH/err" | paste -sd' ')"
    fi
}

several_files() {
    take_apart
    analyze --one-thread "$SCRATCH/whole" >"$SCRATCH/whole.json"
    gzip -k "$SCRATCH/turn0" "$SCRATCH/turn4"
    zstd -q "$SCRATCH/turn1"
    lz4 -q "$SCRATCH/turn2" "$SCRATCH/turn2.lz4"
    cat "$SCRATCH/whole" | gzip >"$SCRATCH/no-name-for-it"
    as_whole "threads say what one thread says" 1 analyze "$SCRATCH/whole"
    as_whole "five files that overlap" 5 analyze "$SCRATCH"/turn{0,1,2,3,4}
    as_whole "five files that overlap, packed in three ways" 5 analyze "$SCRATCH/turn4.gz" "$SCRATCH/turn1.zst" "$SCRATCH/turn2.lz4" "$SCRATCH"/turn{0.gz,3}
    as_whole "the same in one thread" 5 analyze --one-thread "$SCRATCH"/turn0.gz "$SCRATCH"/turn1.zst "$SCRATCH/turn2.lz4" "$SCRATCH"/turn{3,4}
    as_whole "forty files, the last one first" 40 analyze $(ls -r "$SCRATCH"/slice*)
    as_whole "forty files, sixteen may be open" 40 limited -n 16 analyze "$SCRATCH"/slice*
    as_whole "a packed file without a name for it" 1 analyze "$SCRATCH/no-name-for-it"
    as_whole "standard input from a file" 1 analyze - <"$SCRATCH/no-name-for-it"
    as_whole "standard input from a pipe" 1 piped "$SCRATCH/no-name-for-it"
    as_whole "a pipe and files" 5 piped "$SCRATCH/turn0.gz" "$SCRATCH"/turn{1,2,3,4}
    mv "$SCRATCH/turn3" "$SCRATCH/turn3.gz"
    as_whole "a name that lies" 5 analyze "$SCRATCH"/turn{0,1,2,4} "$SCRATCH/turn3.gz"
}
limited() { (ulimit "$1" "$2" && shift 2 && "$@"); }
piped() { local first=$1; shift; cat "$first" | analyze - "$@"; }

damaged_files() {
    local form size
    gzip -c "$CASE" >"$SCRATCH/case.gzip"; zstd -qc "$CASE" >"$SCRATCH/case.zstd"; lz4 -qcB4 "$CASE" >"$SCRATCH/case.lz4"
    for form in gzip zstd lz4; do
        size=$(stat -c %s "$SCRATCH/case.$form")
        head -c $((size * 9 / 10)) "$SCRATCH/case.$form" >"$SCRATCH/cut.$form"
        head -c 9 "$SCRATCH/case.$form" >"$SCRATCH/stub.$form"
        { cat "$SCRATCH/case.$form"; echo garbage; } >"$SCRATCH/garbage.$form"
        echo 'no packets' | case $form in gzip) gzip ;; zstd) zstd -q ;; lz4) lz4 -q ;; esac >"$SCRATCH/text.$form"
        expect "$form cut short" 0 err "cut.$form ends in the middle of its $form data; read to the last whole packet \([0-9]+\)" \
            "$SEALDNS" analyze -c "$SCRATCH/good.yaml" "$SCRATCH/cut.$form"
        expect "$form cut at its head" 1 err "stub.$form ends in the middle of its $form data, before the first packet" \
            "$SEALDNS" analyze -c "$SCRATCH/good.yaml" "$SCRATCH/stub.$form"
        expect "garbage behind $form" 0 err "garbage.$form is damaged as $form; read to .* \($(packets_of "$CASE")\)" \
            "$SEALDNS" analyze -c "$SCRATCH/good.yaml" "$SCRATCH/garbage.$form"
        expect "$form without a capture in it" 1 err "what is packed in .*text.$form is not a pcap or pcapng capture" \
            "$SEALDNS" analyze -c "$SCRATCH/good.yaml" "$SCRATCH/text.$form"
    done
}
packets_of() { analyze "$1" | grep -oE '"packets":[0-9]+' | cut -d: -f2; }

gibibyte() {
    python3 - <<'END'
import struct, sys
frame = bytes(12) + b"\x08\x06" + bytes(4082)
packets = (struct.pack("<IIII", 1700000000, 0, len(frame), len(frame)) + frame) * 256
sys.stdout.buffer.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
for _ in range(1024):
    sys.stdout.buffer.write(packets)
END
}

# A gibibyte, packed out of some kilobytes, in half of that memory.
larger_than_memory() {
    local form
    for form in plain gzip zstd lz4; do
        gibibyte | case $form in plain) cat ;; gzip) gzip -1 ;; zstd) zstd -q ;; lz4) lz4 -q ;; esac >"$SCRATCH/large"
        expect "$form of a gibibyte in half of it" 0 out '"packets":262144,' limited -v $((512 << 10)) analyze "$SCRATCH/large"
    done
}

# Of what larger_than_memory() left: on a terminal it says how far it is, in a pipe nothing.
progress() {
    python3 - "$SEALDNS" analyze -c "$SCRATCH/good.yaml" "$SCRATCH/large" >"$SCRATCH/terminal" <<'END'
import os, pty, sys
pty.spawn(sys.argv[1:])
END
    check "progress on a terminal: part, rate, time left" grep -qE '\[#* *\] +[0-9]+% [0-9]+ packets, [0-9]+/s, [0-9.]+ MB/s, [0-9]+ s left' "$SCRATCH/terminal"
    expect "no progress in a pipe" 0 out '^1 file' "$SEALDNS" analyze -c "$SCRATCH/good.yaml" "$SCRATCH/large"
    check "and nothing on standard error" test ! -s "$SCRATCH/err"
}

check "every format of the project's captures gives the same document" every_case
several_files
damaged_files
larger_than_memory
progress
tally
