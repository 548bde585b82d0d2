/// What an argument of a system call means.
enum ArgumentKind: String, Sendable {
  case fd, dirfd, path, text, pointer, int, uint, long, size, hex, mode, signal, clock
  case open, at, access, rename, whence, fcntl, flock
  case protection, map, mremap, madvise, msync, mlockall
  case family, socketType = "socket_type", message, shutdown
  case socketLevel = "socket_level", socketOption = "socket_option"
  case address, addressOut = "address_out", data, dataOut = "data_out"
  case clone, wait, waitWhich = "wait_which", prctl, futex, epoll, memfd, bpf, getrandom, sigmask
  case limit, timespec, fdPair = "fd_pair"
}

/// One argument: its name in the kernel's source, and what it means.
struct SyscallArgument: Sendable {
  let name: String
  let kind: ArgumentKind

  /// The arguments of a call, by its name; nil for calls that are not known.
  static func list(of call: Syscall) -> [SyscallArgument]? {
    guard var list = all[call.name] else { return nil }
    // clone(2): on ARM the thread pointer comes before the child's id (CONFIG_CLONE_BACKWARDS); so it
    // does for 32-bit programs on x86.
    #if arch(arm64)
      let isBackwards = true
    #else
      let isBackwards = call.isCompat
    #endif
    if call.name == "clone", isBackwards, list.count == 5 { list.swapAt(3, 4) }
    return list
  }

  private static let all: [String: [SyscallArgument]] = {
    var all: [String: [SyscallArgument]] = [:]
    for line in SyscallTables.arguments.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard let name = words.first else { continue }
      all[String(name)] = words.dropFirst().map { word in
        let parts = word.split(separator: ":")
        guard parts.count == 2, let kind = ArgumentKind(rawValue: String(parts[1])) else {
          preconditionFailure("a generated argument is none: \(word)")
        }
        return SyscallArgument(name: String(parts[0]), kind: kind)
      }
    }
    return all
  }()
}

extension CallRule {
  /// What the programs have to know of a call: which arguments point to texts, addresses and data.
  init(describing call: Syscall) {
    self.init()
    let name = call.name
    if call.neverReturns { flags |= Flags.neverReturns }
    if name == "rt_sigreturn" || name == "sigreturn" { flags |= Flags.hasNoErrors }
    if name == "execve" || name == "execveat" { flags |= Flags.replacesProgram }
    for (index, argument) in (SyscallArgument.list(of: call) ?? []).prefix(6).enumerated() {
      let place = UInt8(index + 1)
      switch argument.kind {
      case .path, .text:
        if text == 0 { text = place } else if secondText == 0 { secondText = place }
      // Structures and lengths of 32-bit programs differ; texts do not.
      case _ where call.isCompat: break
      case .address, .addressOut:
        address = place
        addressLength = place + 1
        if argument.kind == .addressOut { flags |= Flags.addressOut }
      case .data: setData(place, length: place + 1)
      case .dataOut: setData(place, isOut: true)
      case .timespec: setData(place, bytes: 16)
      case .fdPair: setData(place, bytes: 8, isOut: true)
      default: break
      }
    }
  }

  private mutating func setData(
    _ place: UInt8, length: UInt8 = 0, bytes: UInt8 = 0, isOut: Bool = false
  ) {
    guard data == 0 else { return }
    data = place
    dataLength = length
    dataBytes = bytes
    if isOut { flags |= Flags.dataOut }
  }
}
