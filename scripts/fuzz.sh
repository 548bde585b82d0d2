#!/bin/sh
# Fuzzes every parser of untrusted bytes, each for $FUZZ_SECONDS (60) seconds, starting from the
# fixture objects. With $FUZZ_RUNS set, that many inputs each instead.
#
#   scripts/fuzz.sh [TARGET…]        FUZZ_SECONDS=600 scripts/fuzz.sh ValidateFuzz
#
# An input that makes a parser trap, run for five seconds (an instrumented parser is several times
# slower than a real one) or the fuzzer use more than 1 GB is left in
# .build-fuzz/ and the script fails.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib/packages.sh
need_swift

[ $# -gt 0 ] || set -- ELFFuzz BTFFuzz BTFExtFuzz SectionNameFuzz ValidateFuzz \
  DWARFFuzz UnwindFuzz
for target; do
  [ -e "Tests/Fuzz/$target.swift" ] || die "there is no target $target in Tests/Fuzz"
done
seconds=${FUZZ_SECONDS:-60}
work=.build-fuzz
mkdir -p "$work"
export SWIFT_BACKTRACE=enable=no

# The parsers and all targets, as one module and one program.
build() (
  root=$PWD
  cd "$work"  # the compiler leaves by-products where it runs
  rm -rf parsers
  mkdir parsers
  find "$root/Sources/Symbolization/DWARF" "$root/Sources/Unwinding" -name '*.swift' -exec cp {} parsers \;
  cp "$root/Sources/EBPFSystem/Inflate.swift" "$root/Sources/EBPFSystem/ExpandedMemory.swift" parsers
  sed -i -E 's/^(internal |public )?import EBPF(Object|System)$//' parsers/*.swift
  find "$root/Sources/EBPFObject" "$PWD/parsers" "$root/Tests/Fuzz" -name '*.swift' -print0 |
    xargs -0 swiftc -O -g -wmo -num-threads 2 -parse-as-library -swift-version 6 \
      -enable-experimental-feature Lifetimes -package-name fuzz -sanitize=fuzzer -use-ld=lld \
      -I "$root/Sources/CZlib" -lz -suppress-warnings -o fuzz
)

# What each target starts from.
seed() {
  corpus=$work/corpus-$1
  mkdir -p "$corpus"
  case $1 in
    ELFFuzz | ValidateFuzz) cp Tests/Fixtures/*.bpf.o "$corpus/" ;;
    BTFFuzz)
      for object in Tests/Fixtures/*.bpf.o; do
        llvm-objcopy -O binary --only-section=.BTF --set-section-flags .BTF=alloc "$object" \
          "$corpus/$(basename "$object").btf" 2>/dev/null || true
      done ;;
    BTFExtFuzz)
      for object in Tests/Fixtures/*.bpf.o; do
        python3 scripts/lib/btf_ext_seed.py "$object" "$corpus/$(basename "$object").ext"
      done ;;
    DWARFFuzz | UnwindFuzz)
      for flags in "-O2 -g" "-O2 -g -gz" "-O2 -gdwarf-4 -fomit-frame-pointer"; do
        # shellcheck disable=SC2086
        cc $flags -w -o "$corpus/cpu$(echo "$flags" | cksum | cut -d' ' -f1)" Tests/Fixtures/workloads/unwind.c
      done ;;
    SectionNameFuzz) printf 'kprobe.multi/tcp_*' >"$corpus/kprobe" ;;
  esac
}

run() {
  seed "$1"
  if FUZZ_TARGET=$1 "$work/fuzz" "$limit" -timeout=5 -rss_limit_mb=1024 -max_len=1048576 \
    -print_final_stats=1 -artifact_prefix="$work/$1-" "$work/corpus-$1" >"$work/$1.log" 2>&1; then
    say "$1: $(awk '/stat::number_of_executed_units/ {print $2}' "$work/$1.log") inputs, no trap"
  else
    tail -n 30 "$work/$1.log" >&2
    say "$1: FAILED; the input is in $work/$1-*"
    return 1
  fi
}

say "building"
run_quietly build
if [ -n "${FUZZ_RUNS:-}" ]; then limit="-runs=$FUZZ_RUNS"; else limit="-max_total_time=$seconds"; fi
say "$# targets, two at a time: $limit"
status=0
while [ $# -gt 0 ]; do
  run "$1" &
  first=$!
  if [ $# -gt 1 ]; then
    run "$2" || status=1
    shift
  fi
  wait "$first" || status=1
  shift
done
exit $status
