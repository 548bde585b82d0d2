#!/bin/sh
# All four tracers at once, from the static command, on a program that does known work a hundred times
# a second (Tests/Fixtures/workloads/soak.c). At the end every count must be the program's own, nothing
# may be lost, memory and descriptors of the tracers must not have grown, and after `kill -9` nothing
# may be left in the kernel.
#
# usage: scripts/soak.sh [--seconds N]      600 unless told otherwise
#        scripts/soak.sh --spans [N]        a million unless told otherwise
#
# With --spans, instead: the exporter, built as the command is, sends so many spans to a receiver on
# this machine that decodes them with the official package. Each must arrive once, and the exporter's
# memory must be what it was after a tenth of them.
#
# Needs root, but for --spans. Exit status 1 when something does not hold.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib/packages.sh

seconds=600
case ${1:-} in
  "") ;;
  --spans)
    scripts/build-static.sh telemetry-sender
    exec python3 scripts/lib/send_spans.py .build-static/release/telemetry-sender "${2:-1000000}"
    ;;
  --seconds) seconds=${2:?} ;;
  *)
    echo "usage: scripts/soak.sh [--seconds N | --spans [N]]" >&2
    exit 64
    ;;
esac

need_packages bpftool python3
[ "$(id -u)" = 0 ] || die "needs root"
[ -x dist/ebpf ] || scripts/build-static.sh
scripts/build-workloads.sh >/dev/null

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command=$PWD/dist/ebpf
load=$PWD/.build-workloads/soak

# NAME NEXT OPTION...: a script that traces NEXT, which is another one, or the load. A tracer starts
# its command when it records, so the innermost one runs when all of them do.
nest() {
  name=$1
  next=$2
  shift 2
  {
    echo "echo \$\$ >$work/$name.pid"
    echo "exec $command $* --json --comm soak -- sh $work/$next.sh >$work/$name.json 2>$work/$name.err"
  } >"$work/$name.sh"
}

nest profile network profile -F 99
nest network syscalls network --max-listed 1000
nest syscalls memory syscalls
nest memory load memory --exact
echo "exec $load $seconds >$work/load.txt" >"$work/load.sh"

say "$seconds seconds of profile, network, syscalls and memory"
sh "$work/profile.sh" &
recording=$!

# Every tenth of the time: resident kB and descriptors of each tracer, as NAME KB DESCRIPTORS.
sample() {
  for name in profile network syscalls memory; do
    read -r pid <"$work/$name.pid" 2>/dev/null || continue
    resident=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status" 2>/dev/null)
    descriptors=$(ls "/proc/$pid/fd" 2>/dev/null | wc -l)
    [ -z "$resident" ] || echo "$name $resident $descriptors" >>"$work/samples"
  done
}
until [ -e "$work/load.txt" ] || ! kill -0 "$recording" 2>/dev/null; do sleep 0.1; done
begin=$(date +%s)
next=1
while kill -0 "$recording" 2>/dev/null; do
  # The last tenth is left alone: the results are put together in it.
  if [ $next -le 9 ] && [ $((($(date +%s) - begin) * 10)) -ge $((next * seconds)) ]; then
    sample
    next=$((next + 1))
  fi
  sleep 0.2
done
wait "$recording" || { cat "$work"/*.err >&2; die "a tracer failed"; }

python3 scripts/lib/soak.py "$work" "$seconds"

# Everything that a killed tracer had must be gone: its programs, maps and links, by number.
say "kill -9"
for name in profile network syscalls memory; do
  "$command" "$name" >"$work/killed.out" 2>&1 &
  pid=$!
  # It records when it has as many descriptors as a moment ago, and a link among them.
  before=
  while :; do
    sleep 0.5
    kill -0 "$pid" 2>/dev/null || { cat "$work/killed.out" >&2; die "$name failed"; }
    now=$(cat "/proc/$pid/fdinfo/"* 2>/dev/null | grep -E '^(prog|map|link)_id' | sort -u)
    [ "$now" != "$before" ] || ! echo "$now" | grep -q '^prog_id' || break
    before=$now
  done
  kill -9 "$pid"
  wait "$pid" 2>/dev/null || true
  echo "$now" | while read -r kind id; do
    tries=0
    while bpftool "${kind%_id:}" show id "$id" >/dev/null 2>&1; do
      tries=$((tries + 1))
      [ $tries -lt 100 ] || die "$name left ${kind%_id:} $id behind"
      sleep 0.1
    done
  done
  say "$name left nothing of $(echo "$now" | wc -l) programs, maps and links"
done
