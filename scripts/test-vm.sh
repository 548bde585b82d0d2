#!/bin/sh
# Runs Tests/VM on kernels that this machine does not have: Debian's cloud kernels 6.1 and 6.12, in
# virtual machines without hardware support (QEMU, one processor each, both at the same time).
# Needs Debian 12, whose archive has both kernels; they are kept in .build/vm.
#
# A machine that hangs or says nothing is started once more. A check that fails is never repeated.
#
# usage: [EBPF_VM_CHECKS=WORDS] [EBPF_VM_VERBOSE=1] scripts/test-vm.sh [6.1 | 6.12]...
#   WORDS   only checks with one of them in their names
set -eu
cd "$(dirname "$0")/.."
. scripts/lib/packages.sh
. scripts/lib/vm.sh

need_swift
need_packages qemu-system-x86 busybox-static cpio xz-utils build-essential

[ "$(uname -m)" = x86_64 ] || die "the kernels are for x86_64"
[ $# != 0 ] || set -- 6.1 6.12
for version; do meta_package "$version" >/dev/null; done # stops here when there is none

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say "building what runs in the guests"
scripts/build-workloads.sh
scripts/build-static.sh ebpf-vm-tests
for version; do
  fetch_kernel "$version"
  kernel_image "$version" >/dev/null # stops here when it is not there
done
make_initramfs "$work" "$@"

say "starting $# virtual machines"
for version; do
  run_guest "$version" "$work" &
done
wait

status=0
for version; do
  show_report "$version" "$work" || status=1
done
exit $status
