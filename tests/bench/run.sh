#!/bin/sh
# Makes the captures, measures sealdns and other programs on them, checks every count against what was made, and prints
# what the goals are and which are met. Options: see `run.sh --help`. Exit status: 0 all counts right, 1 a count is off or a
# run failed, 2 wrong usage.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=
keep=no

usage() {
    cat <<'END'
usage: run.sh [--quick] [--runs N] [--packets N] [--small N] [--workloads LIST] [--programs LIST]
              [--seed N] [--resolvers N] [--scratch DIR] [--strict] [--json FILE]
  --quick            one run over 200,000 packets, ndpiReader and Suricata over 50,000
  --runs N           measure N times and take the median (5)
  --packets N        packets of every capture (2000000)
  --small N          packets for ndpiReader and Suricata, captures of their own (500000)
  --workloads LIST   of dns,mix,flood,flood-syn,flood-hash,flood-fragments,dot (all)
  --programs LIST    beside sealdns, of tcpdump,loop,dnscap,ndpiReader,suricata (all that are installed)
  --scratch DIR      keep the captures there and use them again (a new directory, removed at the end)
  --strict           fail when a goal is missed, too
  --json FILE        write the figures there as well
  --profile WORKLOAD instead: nanoseconds and instructions a packet in each stage (valgrind, perf);
                     --packets N (500000), --runs N (3; of sampling), --functions N
  --instructions     instead: instructions over small captures against stages/instructions.tsv, stage by
                     stage (valgrind); more than 3 % up is an error. With --update: write them there
  --detectors        instead: what each detector costs, on 50,000 clients and on the gateway mix; more
                     than 150 MB of state for the clients is an error
  --flows            instead: what 1,000,000 tracked flows take after their verdict; more than 128
                     bytes each or 160 MB is an error
  --plan             instead: `sealdns plan` over 30 days of 1,000 clients, in the store and in the page
                     cache; a median above 3 s of CPU time is an error, and so is a wrong count
  --report           instead: what reports ask of a year of 10,000 clients; a second of CPU time for a
                     question is an error, and so is a wrong sum; then the dashboard's overview of it
                     (root): more than 200 ms for a week or a month is an error
  --store            instead: 50,000 events a second for five seconds into the store, by way of the
                     sensor's ring; one that is lost without being counted is an error
  --feeds [N [S]]    instead: N events a second (20,000) for S seconds (5) to each kind of output, against its
                     real receiver (root); one that does not arrive is an error
  --forward          instead: what the rules cost a gateway that forwards (root, network namespaces)
  --pairs            instead: 100,000 pairs of client and server in the kernel (root): loaded, looked
                     at, put back, updated; more than a second to load is an error
  --latency [...]    instead: from the packet to the pair in the kernel, in the lab (root); more than
                     5 ms (p99) is an error. Its options: tests/bench/latency/run.sh
  --alerts [...]     the same from a client's first packet in clear text to the line in eve.json: 20 ms
  --live [--threads N]  instead: the highest rate on a veth pair at which nothing is lost, against tcpdump
                     (root, tcpreplay). Its options: tests/bench/live/run.sh
The program measured is $SEALDNS, or build/sealdns.
END
}

for argument; do
    case $argument in
    -h | --help) usage; exit 0 ;;
    esac
done

# --scratch and what is done instead are for this script, all the others for what it calls
want=
instead=
set -- "$@" --end
while [ "$1" != --end ]; do
    if [ "$want" = scratch ]; then
        scratch=$1 want= keep=yes
    elif [ "$1" = --scratch ]; then
        want=scratch
    elif [ "$1" = --detectors ] || [ "$1" = --plan ] || [ "$1" = --forward ] || [ "$1" = --pairs ] ||
        [ "$1" = --latency ] || [ "$1" = --profile ] || [ "$1" = --flows ] ||
        [ "$1" = --alerts ] || [ "$1" = --live ] || [ "$1" = --instructions ] || [ "$1" = --report ] || [ "$1" = --store ] ||
        [ "$1" = --feeds ]; then
        instead=$1
    else
        set -- "$@" "$1"
    fi
    shift
done
shift

[ -n "$scratch" ] || scratch=$(mktemp -d "${TMPDIR:-/tmp}/sealdns-bench.XXXXXX")
mkdir -p "$scratch"
[ $keep = yes ] || trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

${CC:-cc} -std=gnu11 -O2 -D_GNU_SOURCE -Wall -Wextra "$here"/*.c -o "$scratch/generate" -lcrypto -lm
# build_target NAME: one of tests/bench/CMakeLists.txt.
build_target() {
    [ -e "$root/build/CMakeCache.txt" ] || cmake -S "$root" -B "$root/build" -DSEALDNS_TESTS=OFF >"$scratch/cmake.log"
    cmake --build "$root/build" --target "$1" >"$scratch/cmake.log" || { cat "$scratch/cmake.log"; exit 1; }
}
if [ "$instead" = --forward ]; then
    ${CC:-cc} -std=gnu11 -O2 -D_GNU_SOURCE -Wall -Wextra "$here/forward/sender.c" -o "$scratch/sender"
    "$here/forward/forward.sh" "${SEALDNS:-$root/build/sealdns}" "$scratch/sender" "$@"
    exit
fi
if [ "$instead" = --flows ]; then
    build_target bench_flows
    [ -e "$scratch/mix.pcap" ] || "$scratch/generate" mix "$scratch/mix.pcap" --packets 600000
    "$root/build/bench_flows" "$scratch/mix.pcap" 1000000
    exit
fi
if [ "$instead" = --report ]; then
    build_target bench_report
    build_target sealdns
    "$root/build/bench_report" "$scratch/report.db" "$@"
    for format in html pdf; do # a year of 10,000 clients in under 3 s
        echo "sealdns report --format $format of that year:"
        time -p "$root/build/sealdns" report -c "$root/rules/policy.yaml" --db "$scratch/report.db" --from 2025-01-01 --to 2026-01-01 --format $format -o "$scratch/report.$format"
    done
    unshare -n "$here/report/overview.sh" "$root/build/sealdns" "$scratch/report.db"
    exit
fi
if [ "$instead" = --store ]; then
    build_target bench_store
    "$root/build/bench_store" "$scratch/store.db" "$@"
    exit
fi
if [ "$instead" = --feeds ]; then
    build_target bench_feeds
    "$here/feeds/run.sh" "$root/build/bench_feeds" "$@"
    exit
fi
if [ "$instead" = --pairs ]; then
    build_target bench_pairs
    unshare -n "$root/build/bench_pairs"
    exit
fi
if [ "$instead" = --latency ]; then
    "$here/latency/run.sh" "$@"
    exit
fi
if [ "$instead" = --alerts ]; then
    "$here/latency/run.sh" --of alerts "$@"
    exit
fi
if [ "$instead" = --live ]; then
    for workload in dns mix; do
        [ -e "$scratch/$workload.pcap" ] || "$scratch/generate" $workload "$scratch/$workload.pcap" --packets 600000
    done
    "$here/live/run.sh" --captures "$scratch/dns.pcap $scratch/mix.pcap" "$@"
    exit
fi
if [ "$instead" = --plan ]; then
    build_target bench_history
    [ -e "$scratch/history.db" ] || "$root/build/bench_history" "$scratch/history.db"
    python3 "$here/history/measure.py" --store "$scratch/history.db" --scratch "$scratch" \
        --binary "${SEALDNS:-$root/build/sealdns}" "$@"
    exit
fi
if [ "$instead" = --profile ]; then
    build_target bench_ring
    python3 "$here/stages/by_stage.py" --generate "$scratch/generate" --scratch "$scratch" --ring "$root/build/bench_ring" \
        --binary "${SEALDNS:-$root/build/sealdns}" "$@"
    exit
fi
# as_recorded: the folder with a build such as the counts are of, made where build/ is another.
as_recorded() {
    if grep -qs '^SEALDNS_LTO:BOOL=ON' "$root/build/CMakeCache.txt" &&
        grep -q '^CMAKE_BUILD_TYPE:STRING=Release' "$root/build/CMakeCache.txt"; then
        echo "$root/build"
        return
    fi
    [ -e "$root/build/lto/CMakeCache.txt" ] ||
        cmake -S "$root" -B "$root/build/lto" -DCMAKE_BUILD_TYPE=Release -DSEALDNS_TESTS=OFF >"$scratch/cmake.log"
    echo "$root/build/lto"
}
if [ "$instead" = --instructions ]; then
    built=$(as_recorded)
    cmake --build "$built" --target sealdns -j "$(nproc)" >"$scratch/cmake.log" || { cat "$scratch/cmake.log"; exit 1; }
    python3 "$here/stages/instructions.py" --binary "$built/sealdns" --build "$built" --generate "$scratch/generate" \
        --scratch "$scratch" "$@"
    exit
fi
if [ "$instead" = --detectors ]; then
    build_target bench_detectors
    [ -e "$scratch/clients.pcap" ] ||
        "$scratch/generate" dns "$scratch/clients.pcap" --packets 600000 --clients 50000
    [ -e "$scratch/mix.pcap" ] || "$scratch/generate" mix "$scratch/mix.pcap" --packets 600000
    for capture in clients mix; do
        echo "$capture:"
        "$root/build/bench_detectors" "$scratch/$capture.pcap" 150
    done
    exit 0
fi
${CC:-cc} -std=gnu11 -O2 -D_GNU_SOURCE -Wall -Wextra "$here/stopwatch/stopwatch.c" -o "$scratch/stopwatch"
${CC:-cc} -std=gnu11 -O2 -D_GNU_SOURCE -Wall -Wextra "$here/loop/loop.c" -o "$scratch/loop" -lpcap
python3 "$here/measure.py" --generate "$scratch/generate" --stopwatch "$scratch/stopwatch" --loop "$scratch/loop" --scratch "$scratch" \
    --binary "${SEALDNS:-$root/build/sealdns}" "$@"
