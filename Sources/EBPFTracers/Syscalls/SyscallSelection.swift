public import EBPF

/// Which system calls are recorded.
///
/// The first name that is allowed turns the selection into a list of what is recorded; it stays one
/// until ``clear()``, also when the last name is denied again. A denied name is left out in any case.
/// Without allowed names everything but the denied ones is recorded. A name stands for the 64-bit
/// and for the 32-bit call.
public struct SyscallSelection: Sendable, Hashable {
  /// Names that were allowed.
  public private(set) var allowed: Set<String> = []
  /// Names that were denied.
  public private(set) var denied: Set<String> = []
  /// True from the first allowed name on: only ``allowed`` calls are recorded.
  public private(set) var isAllowList = false

  /// Everything.
  public init() {}

  /// Reads a list as the command takes it: `openat,read` allows, `!futex` denies.
  public init(parsing text: String) throws(EBPFError) {
    for word in text.split(separator: ",", omittingEmptySubsequences: true) {
      var name = String(word)
      while name.first == " " { name.removeFirst() }
      while name.last == " " { name.removeLast() }
      if name.hasPrefix("!") {
        try set(String(name.dropFirst()), enabled: false)
      } else {
        try set(name, enabled: true)
      }
    }
  }

  /// True when every call is recorded.
  public var isEverything: Bool { !isAllowList && denied.isEmpty }

  /// Allows or denies a call by name.
  public mutating func set(_ name: String, enabled: Bool) throws(EBPFError) {
    guard !SyscallSelection.calls(named: name).isEmpty else {
      throw SyscallSelection.unknown(name)
    }
    if enabled {
      isAllowList = true
      allowed.insert(name)
      denied.remove(name)
    } else {
      denied.insert(name)
      allowed.remove(name)
    }
  }

  /// Allows everything again.
  public mutating func clear() { self = SyscallSelection() }

  /// What older C libraries call and newer ones do not, where people look for the old name.
  private static let replaced = [
    "open": "openat", "creat": "openat", "stat": "newfstatat", "lstat": "newfstatat",
    "access": "faccessat", "fork": "clone", "vfork": "clone", "pipe": "pipe2", "poll": "ppoll",
    "select": "pselect6", "epoll_wait": "epoll_pwait", "unlink": "unlinkat", "rename": "renameat2",
    "mkdir": "mkdirat", "rmdir": "unlinkat", "readlink": "readlinkat", "chmod": "fchmodat",
  ]

  /// What to know about a name that is right and may still not be what was meant; nil when there is
  /// nothing to say.
  public static func advice(for name: String) -> String? {
    guard name == "open" || name == "creat" else { return nil }
    return "glibc's open() calls openat (and Linux on ARM has no '\(name)'): name 'openat' as well"
  }

  /// The calls of this machine's ABIs with a name.
  static func calls(named name: String) -> [Syscall] {
    var calls: [Syscall] = []
    if let number = SyscallTable.host.number(of: name) { calls.append(Syscall(number: number)) }
    if let number = SyscallTable.hostCompat.number(of: name) {
      calls.append(Syscall(number: number, isCompat: true))
    }
    return calls
  }

  private static func unknown(_ name: String) -> EBPFError {
    var hint = NearNames.hint(for: name, in: SyscallTable.host.names)
    if let replacement = replaced[name] {
      hint = "this machine's C library calls '\(replacement)' instead"
    } else if let libraryName = libraryFunctions[name] {
      hint = "that is a function of the C library, which calls '\(libraryName)'"
    }
    return EBPFError(
      .invalidArgument, "there is no system call '\(name)'",
      hint: hint ?? "the names are those of section 2 of the manual, without a library's prefix")
  }

  /// Functions whose system call has another name.
  private static let libraryFunctions = [
    "fopen": "openat", "malloc": "brk", "printf": "write", "pread": "pread64",
    "pwrite": "pwrite64", "send": "sendto", "recv": "recvfrom", "sleep": "clock_nanosleep",
    "usleep": "clock_nanosleep", "wait": "wait4", "waitpid": "wait4", "abort": "tgkill",
    "fstatat": "newfstatat", "sendfile64": "sendfile", "umount": "umount2", "gethostname": "uname",
  ]
}
