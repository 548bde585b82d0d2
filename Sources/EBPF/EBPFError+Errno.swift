package import EBPFSystem

// What an errno means, decided where the call is made: the same number says different things in
// different calls.

extension EBPFError {
  /// A refused system call, with what was being done.
  package static func refused(
    _ code: Code, _ message: String, call: String, _ errno: Errno, context: [Context] = [],
    hint: String? = nil
  ) -> EBPFError {
    EBPFError(
      code, message, context: context,
      systemCall: SystemCallFailure(call: call, errno: errno.rawValue, name: errno.name),
      hint: hint)
  }

  /// `BPF_MAP_CREATE`.
  static func creatingMap(_ spec: MapSpec, _ errno: Errno) -> EBPFError {
    let what = "map '\(spec.name)' of type \(spec.type.name)"
    func error(_ code: Code, _ reason: String, hint: String?) -> EBPFError {
      refused(
        code, "cannot create \(what): \(reason)", call: "bpf(BPF_MAP_CREATE)", errno,
        context: [.map(spec.name)], hint: hint)
    }
    let sizes =
      "key \(spec.keySize) bytes, value \(spec.valueSize) bytes, \(spec.maxEntries) entries, "
      + "flags 0x\(String(spec.flags, radix: 16))"
    switch errno {
    case .notPermitted:
      return error(.denied, "permission denied", hint: privilegeHint(needs: [.bpf]))
    case .invalid:
      let since = spec.type.firstKernel.map { "; or the kernel is older than \($0)" } ?? ""
      return error(
        .invalidArgument, "the kernel does not accept \(sizes)", hint: sizeHint(spec) + since)
    case .tooBig:
      return error(
        .tooLarge, "the kernel does not accept \(sizes)",
        hint: "lower the number of entries, or the value's size")
    case .noMemory:
      return error(
        .system, "no memory for \(sizes)",
        hint:
          "lower the number of entries, use BPF_F_NO_PREALLOC where the type allows it, or raise"
          + " the memory limit of this cgroup (before Linux 5.11: RLIMIT_MEMLOCK)")
    case .notSupported, .notSupportedInternal:
      return error(
        .unsupported, "this kernel does not support it with \(sizes)",
        hint: spec.type.firstKernel.map { "\(spec.type.name) maps exist since Linux \($0)" })
    default: return error(.system, errno.text, hint: nil)
    }
  }

  private static func sizeHint(_ spec: MapSpec) -> String {
    switch spec.type {
    case .ringBuffer, .userRingBuffer:
      "max_entries is the size in bytes: a power of two and a multiple of the page size; key and value"
        + " size are 0"
    case .array, .perCPUArray: "keys of an array are 4 bytes; check max_entries, sizes and flags"
    case .lpmTrie:
      "keys are a 4-byte prefix length and up to 256 bytes; BPF_F_NO_PREALLOC (1) is required"
    case .queue, .stack, .bloomFilter: "this type has no keys: the key size is 0"
    case .stackTrace: "the value is a multiple of 8 bytes, up to kernel.perf_event_max_stack frames"
    case .arrayOfMaps, .hashOfMaps: "an inner map is needed as a template; values are 4 bytes"
    case .taskStorage, .socketStorage, .inodeStorage, .cgroupStorage:
      "this type needs 4-byte keys, BPF_F_NO_PREALLOC (1), max_entries 0, and BTF of key and value"
    default: "check key size, value size, max_entries (0 is rarely allowed) and flags"
    }
  }

  /// `BPF_MAP_LOOKUP_ELEM` and `BPF_MAP_LOOKUP_AND_DELETE_ELEM`.
  static func lookingUp(_ map: RawMap, _ errno: Errno, call: String) -> EBPFError {
    let denied = "cannot read map '\(map.name)'"
    switch errno {
    case .notPermitted:
      if map.information.flags & MapFlags.writeOnly != 0 {
        return map.error(
          .denied, "\(denied): it was opened or created for writing only", call, errno,
          hint: "open it again without BPF_F_WRONLY")
      }
      return map.error(.denied, denied, call, errno, hint: privilegeHint(needs: [.bpf]))
    case .notSupported, .notSupportedInternal, .invalid:
      return map.error(
        .unsupported, "\(denied): \(map.type.name) maps do not allow this kind of look-up", call,
        errno, hint: lookupHint(map.type))
    default: return map.error(.system, "\(denied): \(errno.text)", call, errno, hint: nil)
    }
  }

  private static func lookupHint(_ type: MapType) -> String? {
    switch type {
    case .ringBuffer: "read its records with RingBuffer"
    case .perfEventArray: "read its records with PerfBuffer"
    case .queue, .stack: "use pop() or peek(): it has no keys"
    case .bloomFilter: "use mightContain(_:): it has no keys"
    case .programArray: "a program array can be written, but not read"
    case .structOps: "read it without deleting"
    default: nil
    }
  }

  /// A look-up or update with `BPF_F_LOCK` that the kernel calls invalid.
  static func missingLock(_ map: RawMap, _ command: String, _ errno: Errno) -> EBPFError {
    map.error(
      .invalidArgument, "values of map '\(map.name)' have no lock to take",
      "bpf(BPF_MAP_\(command)_ELEM)", errno,
      hint: "give the C type of the value a member 'struct bpf_spin_lock', with BTF (Linux 5.1)")
  }

  /// `BPF_MAP_UPDATE_ELEM`.
  static func updating(_ map: RawMap, _ policy: UpdatePolicy, _ errno: Errno) -> EBPFError {
    let call = "bpf(BPF_MAP_UPDATE_ELEM)"
    let cannot = "cannot write map '\(map.name)'"
    let isArray = map.type.isArray
    switch errno {
    case .notPermitted:
      return map.error(
        .denied, "\(cannot): it is frozen, or open for reading only", call, errno,
        hint: "a frozen map can be written by programs only; a constant section (.rodata) is set"
          + " before the object is loaded")
    case .tooBig:
      return map.error(
        .tooLarge,
        isArray
          ? "\(cannot): the index is not below its \(map.information.maxEntries) entries"
          : "\(cannot): all its \(map.information.maxEntries) entries are taken", call, errno,
        hint: isArray
          ? "indices run from 0 to \(Int(map.information.maxEntries) - 1)"
          : "delete entries, create it with more max_entries, or use an LRU type")
    case .exists:
      return map.error(
        .exists, "\(cannot): the key is there already", call, errno,
        hint: isArray
          ? "every index of an array exists from the start; use .any or .exists"
          : "the update asked for a new key (BPF_NOEXIST); use .any to replace")
    case .noEntry where policy == .exists:
      return map.error(
        .notFound, "\(cannot): the key is not there", call, errno,
        hint: "the update asked for a present key (BPF_EXIST); use .any to add")
    case .noEntry:
      return map.error(.notFound, "\(cannot): \(errno.text)", call, errno, hint: nil)
    case .busy:
      return map.error(
        .system, "\(cannot): the entry is being changed on this CPU", call, errno,
        hint: "try again")
    case .noMemory:
      return map.error(
        .system, "\(cannot): no memory for the entry", call, errno,
        hint: "the cgroup's memory limit counts entries that are not allocated up front")
    case .invalid:
      return map.error(
        .invalidArgument, "\(cannot): the kernel does not accept this key, value or policy", call,
        errno,
        hint: map.type == .lpmTrie
          ? "the prefix length, the key's first 4 bytes, is at most 8 × \(map.keySize - 4)"
          : "\(map.type.name) maps limit what an update may ask for")
    case .notSupported, .notSupportedInternal:
      return map.error(
        .unsupported, "\(cannot): \(map.type.name) maps cannot be written from user space", call,
        errno, hint: nil)
    default: return map.error(.system, "\(cannot): \(errno.text)", call, errno, hint: nil)
    }
  }

  /// `BPF_MAP_DELETE_ELEM`.
  static func deleting(_ map: RawMap, _ errno: Errno) -> EBPFError {
    let call = "bpf(BPF_MAP_DELETE_ELEM)"
    let cannot = "cannot delete from map '\(map.name)'"
    switch errno {
    case .invalid where map.type.isArray:
      return map.error(
        .unsupported, "\(cannot): entries of an array cannot be deleted, only overwritten", call,
        errno, hint: "write a zero value instead")
    case .invalid, .notSupported, .notSupportedInternal:
      return map.error(
        .unsupported, "\(cannot): \(map.type.name) maps have no entries to delete by key", call,
        errno, hint: map.type == .queue || map.type == .stack ? "use pop()" : nil)
    case .notPermitted:
      return map.error(
        .denied, "\(cannot): it is frozen, or open for reading only", call, errno,
        hint: "a frozen map can be written by programs only")
    case .busy:
      return map.error(
        .system, "\(cannot): the entry is being changed on this CPU", call, errno,
        hint: "try again")
    default: return map.error(.system, "\(cannot): \(errno.text)", call, errno, hint: nil)
    }
  }

  /// `BPF_MAP_GET_NEXT_KEY` and the batch look-ups.
  static func iterating(_ map: RawMap, _ errno: Errno, call: String) -> EBPFError {
    let cannot = "cannot list map '\(map.name)'"
    switch errno {
    case .notPermitted:
      return map.error(
        .denied, "\(cannot): it is open for writing only, or permission was denied", call, errno,
        hint: privilegeHint(needs: [.bpf]))
    case .invalid, .notSupported, .notSupportedInternal:
      return map.error(
        .unsupported, "\(cannot): \(map.type.name) maps have no keys to go through", call, errno,
        hint: lookupHint(map.type))
    default: return map.error(.system, "\(cannot): \(errno.text)", call, errno, hint: nil)
    }
  }

  /// `BPF_MAP_FREEZE`.
  static func freezing(_ map: RawMap, _ errno: Errno) -> EBPFError {
    let call = "bpf(BPF_MAP_FREEZE)"
    let cannot = "cannot freeze map '\(map.name)'"
    switch errno {
    case .busy:
      return map.error(
        .exists, "\(cannot): it is mapped for writing", call, errno,
        hint: "release writable mappings of it first")
    case .notPermitted:
      return map.error(
        .denied, "\(cannot): it is frozen already, or open for reading only", call, errno,
        hint: nil)
    case .notSupported, .notSupportedInternal, .invalid:
      return map.error(
        .unsupported, "\(cannot): not with type \(map.type.name) or a value with a timer or lock",
        call, errno, hint: nil)
    default: return map.error(.system, "\(cannot): \(errno.text)", call, errno, hint: nil)
    }
  }

  /// `BPF_*_GET_FD_BY_ID` and `BPF_*_GET_NEXT_ID`.
  package static func openingID(
    _ kind: KernelObjectKind, _ id: UInt32, _ errno: Errno
  ) -> EBPFError {
    let word =
      switch kind {
      case .program: ("program", "PROG", "prog")
      case .map: ("map", "MAP", "map")
      case .btf: ("BTF object", "BTF", "btf")
      case .link: ("link", "LINK", "link")
      }
    let call = "bpf(BPF_\(word.1)_GET_FD_BY_ID)"
    switch errno {
    case .noEntry:
      return refused(
        .notFound, "there is no \(word.0) with id \(id)", call: call, errno,
        hint: "ids end with their object; 'ebpf \(word.2)' lists the present ones")
    case .notPermitted:
      return refused(
        .denied, "cannot open \(word.0) \(id) by its id", call: call, errno,
        hint: privilegeHint(needs: [.systemAdministration]))
    default:
      return refused(
        .system, "cannot open \(word.0) \(id): \(errno.text)", call: call, errno)
    }
  }

  /// `BPF_OBJ_GET_INFO_BY_FD`.
  package static func describing(_ what: String, _ errno: Errno) -> EBPFError {
    refused(
      .system, "cannot get information about \(what): \(errno.text)",
      call: "bpf(BPF_OBJ_GET_INFO_BY_FD)", errno)
  }
}
