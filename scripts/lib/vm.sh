# Sourced by scripts/test-vm.sh, after packages.sh: kernels, an initramfs for them, and the machines
# that boot them.

vm_cache=.build/vm
# How long a machine may say nothing before it counts as hanging. It says something after each check,
# which takes at most some seconds on a machine that is not busy.
vm_silence=240
# What checks of module types need; each stands alone.
vm_modules=veth

# The package whose dependency is the newest kernel of a version.
meta_package() {
  case $1 in
    6.1) echo linux-image-cloud-amd64 ;;
    6.12) echo linux-image-6.12-cloud-amd64 ;;
    *) die "there is no kernel '$1' to test on: 6.1 or 6.12" ;;
  esac
}

kernel_package() {
  apt-cache depends "$(meta_package "$1")" 2>/dev/null |
    sed -n "s/^ *Depends: \(linux-image-$1\.[^ ]*\)$/\1/p" | head -n 1
}

# Makes .build/vm/VERSION: the kernel as `vmlinuz`, its release in `release`, and the modules.
fetch_kernel() {
  kernel=$(kernel_package "$1")
  if [ -z "$kernel" ]; then
    [ "$(id -u)" = 0 ] && run_quietly apt-get update -q
    kernel=$(kernel_package "$1")
  fi
  directory=$vm_cache/$1
  release=${kernel#linux-image-}
  if [ -n "$kernel" ] && [ "$(cat "$directory/release" 2>/dev/null)" = "$release" ]; then return; fi
  if [ -z "$kernel" ]; then
    [ ! -e "$directory/release" ] || return 0 # without a package list, the one from last time
    die "no package $(meta_package "$1") with a kernel $1: this needs the archive of Debian 12"
  fi
  say "downloading $kernel"
  rm -rf "$directory.new"
  mkdir -p "$directory.new/modules"
  (
    cd "$directory.new"
    run_quietly apt-get download -q -o APT::Sandbox::User=root "$kernel"
    dpkg-deb --fsys-tarfile ./*.deb >package.tar
    tar -xOf package.tar "./boot/vmlinuz-$release" >vmlinuz
    for module in $vm_modules; do
      member=$(tar -tf package.tar | grep "/$module\.ko\(\.xz\)\?$")
      case $member in
        *.xz) tar -xOf package.tar "$member" | xz -dc >"modules/$module.ko" ;;
        *) tar -xOf package.tar "$member" >"modules/$module.ko" ;;
      esac
    done
    rm -f ./*.deb package.tar
    echo "$release" >release
  )
  rm -rf "$directory"
  mv "$directory.new" "$directory"
}

kernel_image() {
  [ -s "$vm_cache/$1/vmlinuz" ] || die "$vm_cache/$1 has no kernel; remove it and start again"
  echo "$vm_cache/$1/vmlinuz"
}

# DIRECTORY VERSION...: the file system of all guests, DIRECTORY/initramfs.
make_initramfs() {
  root=$1/root
  archive=$1/initramfs
  shift
  mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/tmp" "$root/fixtures" \
    "$root/modules"
  cp scripts/lib/vm-init.sh "$root/init"
  cp "$(dpkg -L busybox-static | grep '/bin/busybox$')" "$root/bin/busybox"
  cp dist/ebpf "$root/bin/ebpf"
  llvm-objcopy --strip-all --remove-section=.swift_modhash .build-static/release/ebpf-vm-tests \
    "$root/bin/ebpf-vm-tests"
  for program in syscalls many_calls compat_calls network sockets memory allocations callers cpu unwind waits \
    processes congestion otel-memory thread-context with-capabilities with-token; do
    cp ".build-workloads/$program-static" "$root/bin/$program"
  done
  cp .build-workloads/mappings-32 "$root/bin"
  cp Tests/Fixtures/*.bpf.o "$root/fixtures"
  for version; do
    cp -r "$vm_cache/$version/modules" "$root/modules/$(cat "$vm_cache/$version/release")"
  done
  (cd "$root" && find . | cpio -o -H newc --quiet -R 0:0) >"$archive"
}

# VERSION DIRECTORY: DIRECTORY/VERSION.report is what the guest said; its last line is `status N`.
run_guest() {
  for attempt in 1 2; do
    boot "$1" "$2"
    ! grep -q '^status [0-9]\|^not ok ' "$2/$1.report" || return 0
    say "kernel $1, attempt $attempt: no report after $(cat "$2/$1.seconds") s; on the console:"
    tail -n 15 "$2/$1.console" >&2
  done
}

boot() {
  report=$2/$1.report
  : >"$2/$1.serial"
  : >"$2/$1.console"
  start=$(date +%s)
  # One processor: emulated ones disagree when the kernel patches its code. The emulated time stamp
  # counter runs with the host's load; without it the kernel takes a clock that does not.
  qemu-system-x86_64 \
    -nodefaults -no-user-config -display none -no-reboot -machine q35 -cpu max -smp 1 -m 1024 \
    -accel tcg,tb-size=256 -kernel "$(kernel_image "$1")" -initrd "$2/initramfs" \
    -append "console=ttyS0 quiet panic=-1 reboot=t mitigations=off tsc=unstable no_timer_check \
-- ${EBPF_VM_CHECKS:-}" \
    -serial "file:$2/$1.console" -serial "file:$2/$1.serial" </dev/null >"$2/$1.qemu" 2>&1 &
  machine=$!
  heard=$start
  size=0
  while kill -0 "$machine" 2>/dev/null; do
    sleep 1
    now=$(date +%s)
    if [ "$(wc -c <"$2/$1.serial")" != "$size" ]; then
      size=$(wc -c <"$2/$1.serial")
      heard=$now
    elif [ $((now - heard)) -gt "$vm_silence" ]; then
      kill -9 "$machine"
    fi
  done
  wait "$machine" || cat "$2/$1.qemu" >&2
  tr -d '\r' <"$2/$1.serial" >"$report"
  echo $(($(date +%s) - start)) >"$2/$1.seconds"
}

# VERSION DIRECTORY: prints what failed, or all with EBPF_VM_VERBOSE=1, and a line of figures.
show_report() {
  report=$2/$1.report
  release=$(cat "$vm_cache/$1/release")
  announced=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$report")
  passed=$(grep -c '^ok ' "$report" || true)
  if [ "$(tail -n 1 "$report")" = "status 0" ] && [ "$passed" = "${announced:-none}" ]; then
    [ -z "${EBPF_VM_VERBOSE:-}" ] || cat "$report"
    say "$release: $passed checks hold ($(cat "$2/$1.seconds") s)"
    return 0
  fi
  cat "$report"
  say "$release: $passed of ${announced:-?} checks hold ($(cat "$2/$1.seconds") s)"
  return 1
}
