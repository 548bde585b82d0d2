#!/bin/sh
# Installs what the tests need and runs them all. Needs root on a Linux machine with BPF: the tests
# load, attach and count on the kernel that is running.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib/packages.sh

need_swift
need_packages libelf-dev linux-libc-dev liblzma-dev zlib1g-dev bpftool libbpf-dev build-essential python3 \
  libcap2-bin protobuf-compiler iproute2 linux-perf binutils chromium strace file podman runc \
  musl-tools tmux busybox-static libyaml-dev systemd openssl prometheus
# Programs that know nothing of this project: decoders of protobuf and OpenTelemetry's messages,
# checkers of JSON and Kubernetes' schemas, a collector.
python3 -c 'import google.protobuf, jsonschema, opentelemetry.proto, kubernetes_validate, rotel' \
  2>/dev/null ||
  run_quietly python3 -m pip install -q protobuf jsonschema opentelemetry-proto kubernetes-validate \
    rotel
[ "$(id -u)" = 0 ] || die "needs root: the tests load programs into the running kernel"

# A crashing child must not wait for a debugger, and a kernel feature that is there must be tested.
export SWIFT_BACKTRACE=enable=no EBPF_REQUIRE_KERNEL=1

mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
[ "$(stat -f -c %T /sys/fs/bpf)" = bpf_fs ] || mount -t bpf bpf /sys/fs/bpf

step() {
  say "$1"
  shift
  "$@"
}

# Runs a command that may take so many seconds; of one that takes longer it is said what was running.
within() {
  limit=$1
  shift
  (
    sleep "$limit" &
    nap=$!
    trap 'kill "$nap"; exit' TERM
    wait "$nap"
    say "$limit seconds are over; these processes are there:"
    ps -eo pid,ppid,stat,etimes,time,wchan:24,args >&2
  ) &
  watcher=$!
  status=0
  timeout "$((limit + 5))" "$@" || status=$?
  kill "$watcher" 2>/dev/null || :
  return "$status"
}

# Runs tests. What failed is told once more at the end: thousands of lines lie between two failures.
tests() {
  reports=$(mktemp -d)
  status=0
  within 1500 swift test --skip-build --xunit-output "$reports/tests.xml" "$@" || status=$?
  if [ "$status" != 0 ]; then
    say "failed:"
    grep -h -B 1 '<failure' "$reports"/*.xml >&2 || say "the tests did not come to their end"
  fi
  rm -r "$reports"
  return "$status"
}

step "format" swift format lint --strict -r Sources Tests Package.swift
step "layers" scripts/check-layers.sh
step "BPF objects are what their sources say" scripts/build-bpf.sh --check
step "known-work programs" scripts/build-workloads.sh
step "static command" scripts/build-static.sh
# Those on the running kernel one after the other: each has the machine to itself, so that what it
# sees does not depend on what the others do. The limit is for one that waits for ever.
live='^(EBPFLiveKernelTests|CommandTests)\.'
step "building the tests" swift build --build-tests
step "building the example service" swift build --package-path Tests/ExampleService \
  --disable-index-store -Xswiftc -gnone
step "tests" tests --skip "$live"
step "tests on the running kernel" tests --no-parallel --filter "$live"
step "kernels 6.1 and 6.12" scripts/test-vm.sh
step "fuzzing" scripts/fuzz.sh
