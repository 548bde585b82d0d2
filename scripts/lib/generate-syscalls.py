"""See scripts/generate-syscalls.sh."""
import os
import re
import subprocess
import sys

TABLES = "Sources/EBPFTracers/Syscalls/Tables"
EVENTS = "/sys/kernel/tracing/events/syscalls"

# Newer than the headers of Debian 12 (Linux 6.1): scripts/syscall.tbl of Linux 6.18. Numbers from 424
# on are the same on every architecture.
NEWER = {
    451: "cachestat", 452: "fchmodat2", 453: "map_shadow_stack", 454: "futex_wake",
    455: "futex_wait", 456: "futex_requeue", 457: "statmount", 458: "listmount",
    459: "lsm_get_self_attr", 460: "lsm_set_self_attr", 461: "lsm_list_modules", 462: "mseal",
    463: "setxattrat", 464: "getxattrat", 465: "listxattrat", 466: "removexattrat",
    467: "open_tree_attr", 468: "file_getattr", 469: "file_setattr",
}
# arch/x86/entry/syscalls/syscall_64.tbl of Linux 6.18.
NEWER_X86_64 = {335: "uretprobe", 336: "uprobe"}

# The kernel's function name where it is not the call's.
ALIASES = {
    "stat": "newstat", "fstat": "newfstat", "lstat": "newlstat", "uname": "newuname",
    "umount2": "umount", "sendfile": "sendfile64",
}

# Calls that the kernel of this machine may lack: section 2 of the manual.
MANUAL = {
    "delete_module": [("const char *", "name"), ("unsigned int", "flags")],
    "finit_module": [("int", "fd"), ("const char *", "uargs"), ("int", "flags")],
    "init_module": [("void *", "umod"), ("unsigned long", "len"), ("const char *", "uargs")],
    "kexec_load": [("unsigned long", "entry"), ("unsigned long", "nr_segments"),
                   ("void *", "segments"), ("unsigned long", "flags")],
    "kexec_file_load": [("int", "kernel_fd"), ("int", "initrd_fd"), ("unsigned long", "cmdline_len"),
                        ("const char *", "cmdline"), ("unsigned long", "flags")],
    "rt_sigreturn": [],
    "map_shadow_stack": [("unsigned long", "addr"), ("unsigned long", "size"),
                         ("unsigned int", "flags")],
    "memfd_secret": [("unsigned int", "flags")],
    "userfaultfd": [("int", "flags")],
    "lookup_dcookie": [("__u64", "cookie"), ("char *", "buf"), ("size_t", "len")],
}

# What an argument is, where its type and name do not say it: call, argument -> kind. The kinds are
# ArgumentKind's cases.
KINDS = {
    "open.flags": "open", "openat.flags": "open", "mq_open.oflag": "open",
    "open_by_handle_at.flags": "open", "access.mode": "access", "faccessat.mode": "access",
    "faccessat2.mode": "access", "faccessat2.flags": "at", "fchownat.flag": "at",
    "newfstatat.flag": "at", "unlinkat.flag": "at", "linkat.flags": "at", "statx.flags": "at",
    "execveat.flags": "at", "utimensat.flags": "at", "fchmodat2.flags": "at",
    "name_to_handle_at.flag": "at", "renameat2.flags": "rename", "lseek.whence": "whence",
    "fcntl.cmd": "fcntl", "fcntl.arg": "hex", "flock.cmd": "flock", "ioctl.cmd": "hex",
    "ioctl.arg": "hex", "dup3.flags": "open", "pipe2.flags": "open", "fallocate.mode": "hex",
    "mmap.prot": "protection", "mprotect.prot": "protection", "pkey_mprotect.prot": "protection",
    "mmap.flags": "map", "mmap.off": "hex", "mmap.fd": "fd", "mremap.flags": "mremap",
    "madvise.behavior": "madvise", "process_madvise.behavior": "madvise", "msync.flags": "msync",
    "madvise.start": "pointer", "mmap.len": "size", "mmap.addr": "pointer",
    "munmap.addr": "pointer", "munmap.len": "size", "brk.brk": "pointer",
    "mremap.addr": "pointer", "mremap.old_len": "size", "mremap.new_len": "size",
    "mremap.new_addr": "pointer", "mlockall.flags": "mlockall",
    "socket.family": "family", "socketpair.family": "family", "socket.type": "socket_type",
    "socketpair.type": "socket_type", "accept4.flags": "socket_type", "sendto.flags": "message",
    "recvfrom.flags": "message", "sendmsg.flags": "message", "recvmsg.flags": "message",
    "sendmmsg.flags": "message", "recvmmsg.flags": "message", "shutdown.how": "shutdown",
    "setsockopt.level": "socket_level", "getsockopt.level": "socket_level",
    "setsockopt.optname": "socket_option", "getsockopt.optname": "socket_option",
    "clone.clone_flags": "clone", "unshare.unshare_flags": "clone", "setns.flags": "clone",
    "wait4.options": "wait", "waitid.options": "wait", "waitid.which": "wait_which",
    "prctl.option": "prctl", "prctl.arg2": "hex", "prctl.arg3": "hex", "prctl.arg4": "hex",
    "prctl.arg5": "hex", "arch_prctl.option": "hex", "arch_prctl.arg2": "hex",
    "futex.op": "futex", "epoll_ctl.op": "epoll", "epoll_create1.flags": "open",
    "eventfd2.flags": "open", "signalfd4.flags": "open", "timerfd_create.flags": "open",
    "inotify_init1.flags": "open", "memfd_create.flags": "memfd", "bpf.cmd": "bpf",
    "getrandom.flags": "getrandom", "rt_sigprocmask.how": "sigmask", "prlimit64.resource": "limit",
    "getrlimit.resource": "limit", "setrlimit.resource": "limit", "personality.personality": "hex",
    "mount.flags": "hex", "umount2.flags": "hex", "perf_event_open.flags": "hex",
    "ptrace.addr": "hex", "ptrace.data": "hex", "mknod.mode": "mode",
    "read.buf": "data_out", "pread64.buf": "data_out", "recvfrom.ubuf": "data_out",
    "getrandom.ubuf": "data_out", "readlink.buf": "data_out", "readlinkat.buf": "data_out",
    "getcwd.buf": "data_out", "write.buf": "data", "pwrite64.buf": "data", "sendto.buff": "data",
    "nanosleep.rqtp": "timespec", "clock_nanosleep.rqtp": "timespec", "pipe.fildes": "fd_pair",
    "pipe2.fildes": "fd_pair", "socketpair.usockvec": "fd_pair",
    "bind.umyaddr": "address", "connect.uservaddr": "address", "sendto.addr": "address",
    "accept.upeer_sockaddr": "address_out", "accept4.upeer_sockaddr": "address_out",
    "getsockname.usockaddr": "address_out", "getpeername.usockaddr": "address_out",
    "recvfrom.addr": "address_out", "setsockopt.optval": "pointer", "getsockopt.optval": "pointer",
    "mount.dev_name": "text", "mount.dir_name": "path", "mount.type": "text",
    "swapoff.specialfile": "path", "swapon.specialfile": "path", "umount2.name": "path",
    "utime.filename": "path", "utimes.filename": "path", "acct.name": "path",
    "pivot_root.new_root": "path", "pivot_root.put_old": "path",
}

PATHS = {
    "filename", "pathname", "path", "oldname", "newname", "from_pathname", "to_pathname", "special",
}


def kind_of(call, type_, name):
    known = KINDS.get(f"{call}.{name}")
    if known:
        return known
    bare = type_.replace("const ", "").strip()
    if "*" in type_:
        if bare == "char *" and type_.startswith("const "):
            return "path" if name in PATHS else "text"
        return "pointer"
    if name in ("fd", "epfd", "ufd", "pidfd", "oldfd", "newfd", "fd_in", "fd_out", "out_fd", "in_fd",
                "fdin", "fdout", "fildes", "group_fd", "fs_fd", "ruleset_fd", "max_fd", "mqdes",
                "fanotify_fd", "kernel_fd", "initrd_fd"):
        return "fd"
    if name in ("dfd", "olddfd", "newdfd", "from_dfd", "to_dfd", "mountdirfd"):
        return "dirfd"
    if name in ("sig", "exit_signal"):
        return "signal"
    if bare == "umode_t":
        return "mode"
    if bare == "clockid_t" or name == "clockid":
        return "clock"
    if bare in ("pid_t", "int", "__s32", "key_serial_t", "uid_t", "gid_t", "timer_t", "key_t",
                "mqd_t", "qid_t"):
        return "hex" if name in ("flags", "flag") else "int"
    if bare in ("long", "off_t", "loff_t"):
        return "long"
    if bare in ("size_t", "__kernel_size_t"):
        return "size"
    if name in ("flags", "flag", "at_flags", "mask"):
        return "hex"
    if bare in ("unsigned", "unsigned int", "u32", "__u32"):
        return "uint"
    if bare == "unsigned long" and name in ("vlen", "nr_segs", "maxnode", "liovcnt", "riovcnt", "len",
                                            "size"):
        return "size"
    return "hex"


def numbers(header, flags=()):
    """name -> number, as the C preprocessor sees the header."""
    command = ["cc", "-E", "-dM", "-x", "c", "-include", header, *flags, "/dev/null"]
    macros = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    values = dict(re.findall(r"^#define (__NR\w+) (\w+)$", macros, re.M))
    result = {}
    for name, value in values.items():
        while value in values:
            value = values[value]
        if name.startswith("__NR_") and value.isdigit():
            result[name[5:]] = int(value)
    result.pop("syscalls", None)
    result.pop("arch_specific_syscall", None)
    return result


def arguments(call):
    folder = f"{EVENTS}/sys_enter_{ALIASES.get(call, call)}"
    if not os.path.exists(folder):
        return MANUAL.get(call)
    with open(f"{folder}/format") as file:
        fields = re.findall(r"^\tfield:(.*?)\s*(\w+);", file.read(), re.M)
    return [(type_, name) for type_, name in fields[5:]]


def swift(name, comment, constant, lines):
    body = "\n".join("    " + line for line in lines)
    return name, f"""// Written by scripts/generate-syscalls.sh: do not edit.

extension SyscallTables {{
  /// {comment}
  static let {constant} = \"\"\"
{body}
    \"\"\"
}}
"""


def table(found, newer):
    rows = {number: name for name, number in found.items()}
    for number, name in newer.items():
        if rows.setdefault(number, name) != name:
            sys.exit(f"{number} is {rows[number]} in the headers and {name} in NEWER")
    return rows


def main():
    generic = ["-D__BITS_PER_LONG=64", "-D__ARCH_WANT_NEW_STAT", "-D__ARCH_WANT_RENAMEAT",
               "-D__ARCH_WANT_SET_GET_RLIMIT", "-D__ARCH_WANT_SYS_CLONE3",
               "-D__ARCH_WANT_MEMFD_SECRET", "-D__ARCH_WANT_TIME32_SYSCALLS"]
    tables = {
        "x86_64": table(numbers("asm/unistd_64.h"), NEWER | NEWER_X86_64),
        "i386": table(numbers("asm/unistd_32.h"), NEWER),
        "aarch64": table(numbers("asm-generic/unistd.h", generic), NEWER),
    }
    files = []
    for machine, rows in tables.items():
        lines = [f"{number} {name}" for number, name in sorted(rows.items())]
        files.append(swift(
            f"SyscallTables+{machine}.swift", f"Numbers and names, one call a line: {machine}.",
            machine, lines))
    lines = []
    for call in sorted(set(tables["x86_64"].values()) | set(tables["aarch64"].values())):
        known = arguments(call)
        if known is not None:
            words = [f"{name.lstrip('_')}:{kind_of(call, type_, name)}" for type_, name in known]
            lines.append(" ".join([call, *words]))
    files.append(swift(
        "SyscallTables+Arguments.swift", "A call's name and its arguments, `name:kind`, one call a line.",
        "arguments", lines))
    status = 0
    for name, text in files:
        path = f"{TABLES}/{name}"
        if "--check" in sys.argv:
            with open(path) as file:
                if file.read() != text:
                    print(f"differs: {path}", file=sys.stderr)
                    status = 1
        else:
            with open(path, "w") as file:
                file.write(text)
            print(path)
    sys.exit(status)


main()
