#!/bin/sh
# Writes Sources/EBPFTracers/Syscalls/Tables/*.swift: names and numbers of system calls for x86_64,
# i386 and aarch64, and what their arguments are.
#
# Numbers come from the kernel headers of this machine (linux-libc-dev: asm/unistd_64.h,
# asm/unistd_32.h, asm-generic/unistd.h), and from the list below for calls that are newer than they
# are. Arguments come from the running kernel's tracefs (events/syscalls/*/format), and for calls
# that it was built without from the list below.
#
# usage: scripts/generate-syscalls.sh [--check]
#   --check   compare with what is committed; 1 on a difference
#
# Needs root for tracefs, cc and python3. Newer headers or a newer kernel may change the result:
# look at the difference before committing it.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib/packages.sh
need_packages linux-libc-dev gcc python3
case ${1:-} in '' | --check) ;; *) sed -n '/^# usage/,/^# *--check/s/^# \{0,1\}//p' "$0" >&2; exit 64 ;; esac
exec python3 scripts/lib/generate-syscalls.py "$@"
