#!/bin/sh
# Measures this package against the programs one would use instead, on this machine, in one run:
# libbpf, bpftool, readelf, llvm-objdump, perf, bpftrace. Both sides of a row run in turn
# (ours, peer, ours, peer, …); a figure is the median, a ratio the median of the pairs' ratios,
# ours to the peer's. Times are CPU time, user and kernel, except where a row is about waiting.
#
# usage: scripts/benchmark.sh [--markdown] [--pairs N] [NAME…]
#   NAME        btf lookup core validate ring profile switch network syscalls memory size;
#               without one, all of them
#   --pairs N   how many pairs a row is the median of; 9 unless told otherwise
#   --markdown  the table for the README
#
# Exit status 1 when a bar is missed.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib/packages.sh
. scripts/lib/benchmark.sh
. scripts/lib/benchmark-rows.sh
. scripts/lib/benchmark-tools.sh

usage() {
  sed -n '/^# usage/,/^# *--markdown/s/^# \{0,1\}//p' "$0" >&2
  exit 64
}

all="btf lookup core validate ring profile switch network syscalls memory size"
form=
pairs=9
names=
while [ $# -gt 0 ]; do
  case $1 in
    --markdown) form=--markdown ;;
    --pairs)
      [ $# -gt 1 ] && [ "$2" -gt 0 ] 2>/dev/null || usage
      pairs=$2
      shift
      ;;
    -*) usage ;;
    *)
      case " $all " in *" $1 "*) names="$names $1" ;; *) usage ;; esac
      ;;
  esac
  shift
done
[ -n "$names" ] || names=$all

need_swift
[ "$(id -u)" = 0 ] || die "needs root: it loads programs and records the whole machine"
need_packages liblzma-dev zlib1g-dev libbpf-dev build-essential bpftool linux-perf bpftrace binutils llvm \
  libbpf-tools strace

work=$(mktemp -d)
on_exit=:
trap '$on_exit; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
: >"$work/table"
missed=0

# Both as they are shipped: optimized and static.
scripts/build-static.sh ebpf-benchmarks
benchmarks=.build-static/release/ebpf-benchmarks
peers=.build-benchmarks
mkdir -p "$peers"
for program in btf_open btf_lookup getppid load ring allocate connect follow; do
  cc -std=gnu11 -O2 -Wall -Werror "Tests/Benchmarks/peers/$program.c" -o "$peers/$program" -lbpf
done
cc -std=gnu11 -O2 -Wall -Werror -static Tests/Benchmarks/peers/run.c -o "$peers/run"
# Pages of an executable that are not yet on disk would count as memory that a program dirtied.
sync "$benchmarks" "$peers"/*

for name in $names; do
  say "measuring $name"
  "measure_$name"
done

version() { dpkg-query -W -f='${Package} ${Version}' "$1"; }
echo "$(date -u +%Y-%m-%d), Linux $(uname -r) $(uname -m), $(nproc) CPUs" \
  "($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)), load $(cut -d ' ' -f 1-3 /proc/loadavg)"
echo "median of $pairs interleaved pairs; $(version libbpf-dev), $(version bpftool)," \
  "$(version binutils), $(version linux-perf), $(version bpftrace)"
echo
print_table $form
[ "$missed" = 0 ] || die "$missed bars missed"
