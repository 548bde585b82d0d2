#!/bin/sh
# Builds the fully static, stripped command at dist/ebpf. The unstripped file stays beside it as
# dist/ebpf.debug, for symbolizing crash addresses.
#
# The dependencies are built once; later runs only compile what changed.
#
# usage: scripts/build-static.sh [--quick] [PRODUCT…]
#   --quick   for a first look: leaves out `ebpf agent` and --otlp, and with them the packages for HTTP
#             and TLS, and optimizes only what reads large files; a quarter of the time
#   PRODUCT   also build these executables, the same way; they stay in .build-static/release
set -eu
cd "$(dirname "$0")/.."
. scripts/lib/packages.sh

need_swift
quick=false
if [ "${1:-}" = --quick ]; then
  shift
  quick=true
  need_packages liblzma-dev zlib1g-dev
  scratch=.build-static-quick/debug
  minutes=3
else
  need_packages liblzma-dev zlib1g-dev libyaml-dev
  scratch=.build-static/release
  minutes="9 to 18"
fi
if [ ! -x "$scratch/ebpf" ]; then
  say "building the static command; the first time this takes about $minutes minutes on 2 cores"
else
  say "building the static command"
fi
build() {
  if $quick; then
    set -- "$1" --configuration debug --disable-default-traits --disable-index-store -Xswiftc -gnone
    export EBPF_QUICK_BUILD=1
  else
    set -- "$1" --configuration release -Xlinker --icf=all
  fi
  product=$1
  shift
  swift build --product "$product" --scratch-path "${scratch%/*}" --static-swift-stdlib \
    -Xswiftc -static-executable -Xswiftc -use-ld=lld -Xlinker -O2 -Xlinker --gc-sections "$@"
}
# The linker warns about functions of glibc that the command never calls (user and group look-up).
for product in ebpf "$@"; do run_quietly build "$product"; done

mkdir -p dist
cp "$scratch/ebpf" dist/ebpf.debug
llvm-objcopy --strip-all --remove-section=.swift_modhash dist/ebpf.debug dist/ebpf.new
mv dist/ebpf.new dist/ebpf
say "dist/ebpf: $(wc -c <dist/ebpf | awk '{printf "%.1f MB", $1 / 1e6}')"
if $quick; then say "scripts/build-static.sh makes the one to keep: optimized, and with the agent"; fi
