#!/bin/sh
# Builds the fully static, stripped command at dist/ebpf. The unstripped file stays beside it as
# dist/ebpf.debug, for symbolizing crash addresses.
#
# The dependencies are built once; later runs only compile what changed.
#
# usage: scripts/build-static.sh [--quick] [PRODUCT…]
#   --quick   leaves out `ebpf agent` and --otlp, and with them the packages for HTTP and TLS, whose
#             first build takes longer than everything else, and does not optimize what only prints
#   PRODUCT   also build these executables, the same way; they stay in .build-static/release
set -eu
cd "$(dirname "$0")/.."
. scripts/lib/packages.sh

need_swift
if [ "${1:-}" = --quick ]; then
  shift
  need_packages liblzma-dev zlib1g-dev
  scratch=.build-static-quick
  traits="--traits QuickBuild"
  minutes="5 to 8"
else
  need_packages liblzma-dev zlib1g-dev libyaml-dev
  scratch=.build-static
  traits=
  minutes="12 to 18"
fi
if [ ! -x "$scratch/release/ebpf" ]; then
  say "building the static command; the first time this takes about $minutes minutes on 2 cores"
else
  say "building the static command"
fi
build() {
  # shellcheck disable=SC2086
  swift build $traits -c release --product "$1" --scratch-path "$scratch" --static-swift-stdlib \
    -Xswiftc -static-executable -Xswiftc -use-ld=lld \
    -Xlinker --icf=all -Xlinker -O2 -Xlinker --gc-sections
}
# The linker warns about functions of glibc that the command never calls (user and group look-up).
for product in ebpf "$@"; do run_quietly build "$product"; done

mkdir -p dist
cp "$scratch/release/ebpf" dist/ebpf.debug
llvm-objcopy --strip-all --remove-section=.swift_modhash dist/ebpf.debug dist/ebpf.new
mv dist/ebpf.new dist/ebpf
say "dist/ebpf: $(wc -c <dist/ebpf | awk '{printf "%.1f MB", $1 / 1e6}')"
