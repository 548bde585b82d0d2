#!/bin/busybox sh
# The first process of a guest (scripts/test-vm.sh): what a small system has mounted, then the tests,
# whose report goes to the second serial line.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
mount -t bpf bpf /sys/fs/bpf
mount -t securityfs securityfs /sys/kernel/security
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
for module in "/modules/$(uname -r)"/*.ko; do insmod "$module"; done

# Words of the kernel's command line after `--`.
ebpf-vm-tests "$@" </dev/null >/dev/ttyS1 2>&1
echo "status $?" >/dev/ttyS1
reboot -f
