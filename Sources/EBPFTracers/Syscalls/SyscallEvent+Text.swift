internal import EBPF
internal import EBPFSystem

extension SyscallEvent {
  /// An argument as a person reads it.
  public struct Argument: Sendable, Hashable {
    /// Its name in the kernel's source.
    public var name: String
    /// What it says: `"/etc/passwd"`, `O_RDONLY|O_CLOEXEC`, `3`.
    public var text: String
  }

  /// The arguments that the call uses, decoded; the registers of a call that is not known.
  public var arguments: [Argument] {
    guard let list = SyscallArgument.list(of: call) else {
      return (0..<6).map { Argument(name: "arg\($0)", text: hexadecimal(registers[$0])) }
    }
    return list.prefix(6).enumerated().map { index, argument in
      Argument(name: argument.name, text: text(of: argument.kind, index, list))
    }
  }

  /// The call as strace writes it: `openat(AT_FDCWD, "/dev/null", O_RDONLY) = 3`.
  public var text: String {
    "\(call.label)(\(arguments.map(\.text).joined(separator: ", "))) = \(resultText)"
  }

  /// The result: a number, an address, `-1 ENOENT (no such file or directory)`, or `?`.
  public var resultText: String {
    switch result {
    case .neverReturns: "?"
    case .error(let number):
      "-1 \(SyscallErrno.name(number)) (\(SyscallErrno.text(number)))"
    case .value(let value):
      ["mmap", "mremap", "brk", "shmat"].contains(call.name)
        ? hexadecimal(UInt64(bitPattern: value)) : String(value)
    }
  }

  // MARK: - One argument

  private func text(of kind: ArgumentKind, _ index: Int, _ list: [SyscallArgument]) -> String {
    let value = registers[index]
    let word = UInt64(truncatingIfNeeded: UInt32(truncatingIfNeeded: value))
    switch kind {
    case .fd, .int: return String(Int32(truncatingIfNeeded: value))
    case .dirfd:
      let descriptor = Int32(truncatingIfNeeded: value)
      return descriptor == -100 ? "AT_FDCWD" : String(descriptor)
    case .uint: return String(word)
    case .long: return String(Int64(bitPattern: value))
    case .size: return String(value)
    case .hex: return value == 0 ? "0" : hexadecimal(value)
    case .pointer: return pointer(value)
    case .mode: return word == 0 ? "0" : "0" + String(word & 0o177777, radix: 8)
    case .path, .text, .address, .addressOut, .data, .dataOut, .timespec, .fdPair:
      return behindPointer(kind, index, list)
    case .clock:
      return Int32(truncatingIfNeeded: value) < 0
        ? String(Int32(truncatingIfNeeded: value)) : FlagNames.clock.value(word)
    default: return symbol(kind, value, word, list)
    }
  }

  private func symbol(
    _ kind: ArgumentKind, _ value: UInt64, _ word: UInt64, _ list: [SyscallArgument]
  ) -> String {
    switch kind {
    case .open: return openFlags(word)
    case .at: return FlagNames.at.bits(word)
    case .access: return FlagNames.access.bits(word)
    case .rename: return FlagNames.rename.bits(word)
    case .whence: return FlagNames.whence.value(word)
    case .fcntl: return FlagNames.fcntl.value(word)
    case .flock: return FlagNames.flock.bits(word)
    case .protection: return FlagNames.protection.bits(value)
    case .map: return FlagNames.map.bits(value)
    case .mremap: return FlagNames.mremap.bits(value)
    case .madvise: return FlagNames.madvise.value(word)
    case .msync: return FlagNames.msync.bits(word)
    case .mlockall: return FlagNames.mlockall.bits(word)
    case .family: return FlagNames.family.value(word)
    case .socketType: return socketType(word)
    case .message: return FlagNames.message.bits(word)
    case .shutdown: return FlagNames.shutdown.value(word)
    case .socketLevel: return FlagNames.socketLevel.value(word)
    case .socketOption: return socketOption(word)
    case .clone: return cloneFlags(value)
    case .wait: return FlagNames.wait.bits(word)
    case .waitWhich: return FlagNames.waitWhich.value(word)
    case .prctl: return FlagNames.prctl.value(word)
    case .futex: return futexOperation(word)
    case .epoll: return FlagNames.epoll.value(word)
    case .memfd: return FlagNames.memfd.bits(word)
    case .bpf: return FlagNames.bpf.value(word)
    case .getrandom: return FlagNames.getrandom.bits(word)
    case .sigmask: return FlagNames.sigmask.value(word)
    case .limit: return FlagNames.limit.value(word)
    case .signal: return FlagNames.signal.value(word)
    default: return hexadecimal(value)
    }
  }

  private func openFlags(_ value: UInt64) -> String {
    // Calls such as pipe2 and epoll_create1 take some of the flags and no access mode.
    guard call.name.hasPrefix("open") || call.name == "mq_open" else {
      return FlagNames.open.bits(value)
    }
    let mode = ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"][Int(value & 3)]
    let rest = value & ~3
    return rest == 0 ? mode : mode + "|" + FlagNames.open.bits(rest)
  }

  private func socketType(_ value: UInt64) -> String {
    let type = value & 0xf
    let flags = value & ~0xf
    // accept4 takes the flags without a type.
    if type == 0 { return FlagNames.socketFlags.bits(flags) }
    let name = FlagNames.socketType.value(type)
    return flags == 0 ? name : name + "|" + FlagNames.socketFlags.bits(flags)
  }

  private func socketOption(_ value: UInt64) -> String {
    switch registers[1] & 0xffff_ffff {
    case 1: FlagNames.socketOption.value(value)
    case 6: FlagNames.tcpOption.value(value)
    default: String(value)
    }
  }

  private func cloneFlags(_ value: UInt64) -> String {
    // unshare and setns have no signal.
    guard call.name == "clone" else { return FlagNames.clone.bits(value) }
    let signal = value & 0xff
    let flags = value & ~0xff
    let name = FlagNames.signal.value(signal)
    if flags == 0 { return name }
    return FlagNames.clone.bits(flags) + (signal == 0 ? "" : "|" + name)
  }

  private func futexOperation(_ value: UInt64) -> String {
    var text = FlagNames.futex.value(value & 0x7f)
    if value & 128 != 0 { text += "_PRIVATE" }
    if value & 256 != 0 { text += "|FUTEX_CLOCK_REALTIME" }
    return text
  }

  // MARK: - Behind a pointer

  private func behindPointer(
    _ kind: ArgumentKind, _ index: Int, _ list: [SyscallArgument]
  ) -> String {
    let rule = CallRule(describing: call)
    let place = UInt8(index + 1)
    switch place {
    case rule.text where !first.isEmpty:
      return quoted(first.dropLast(first.last == 0 ? 1 : 0))
        + (flags & Flags.textCut == 0 ? "" : "...")
    case rule.secondText where !second.isEmpty:
      return quoted(second.dropLast(second.last == 0 ? 1 : 0))
        + (flags & Flags.secondTextCut == 0 ? "" : "...")
    case rule.address where !first.isEmpty && flags & Flags.isAddress != 0:
      return SocketAddressText.text(first)
    case rule.data where !second.isEmpty && flags & Flags.isData != 0:
      return data(kind, index)
    default: return pointer(registers[index])
    }
  }

  private func data(_ kind: ArgumentKind, _ index: Int) -> String {
    switch kind {
    case .timespec where second.count == 16:
      let seconds = Int64(bitPattern: word(0))
      var nanoseconds = String(word(8))
      while nanoseconds.count < 9 { nanoseconds = "0" + nanoseconds }
      return "{\(seconds).\(nanoseconds)}"
    case .fdPair where second.count == 8:
      let pair = word(0)
      return "[\(Int32(truncatingIfNeeded: pair)), \(Int32(truncatingIfNeeded: pair >> 32))]"
    default:
      var all = UInt64(second.count)
      if kind == .dataOut, case .value(let count) = result { all = UInt64(max(0, count)) }
      if kind == .data, index + 1 < 6 { all = registers[index + 1] }
      return quoted(second[...]) + (all > UInt64(second.count) ? "..." : "")
    }
  }

  private func word(_ offset: Int) -> UInt64 {
    second.span.rawBytes.integer(at: offset, as: UInt64.self, order: .host) ?? 0
  }

  private func pointer(_ value: UInt64) -> String { value == 0 ? "NULL" : hexadecimal(value) }

  private func hexadecimal(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

  /// A text in quotes: what is not printable as C writes it.
  private func quoted(_ bytes: ArraySlice<UInt8>) -> String {
    var text = "\""
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{fffd}": text += "\\?"
      case _ where scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value):
        text += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}

/// Names of what system calls fail with, also those that only the kernel itself sees.
public enum SyscallErrno {
  /// `include/linux/errno.h`: a call that a signal interrupts ends so before it is started again.
  private static let kernelInternal: [Int32: (name: String, text: String)] = [
    512: ("ERESTARTSYS", "to be restarted if the signal's handler allows it"),
    513: ("ERESTARTNOINTR", "to be restarted"),
    514: ("ERESTARTNOHAND", "to be restarted if there is no handler"),
    516: ("ERESTART_RESTARTBLOCK", "interrupted by a signal"),
  ]

  /// The symbol: `ENOENT`.
  public static func name(_ number: Int32) -> String {
    kernelInternal[number]?.name ?? Errno(rawValue: number).name
  }

  /// What it means, in lower case.
  public static func text(_ number: Int32) -> String {
    kernelInternal[number]?.text ?? Errno(rawValue: number).text
  }

  /// The number of a symbol, or of a number as text; nil when there is none.
  public static func number(of name: String) -> Int32? {
    if let number = Int32(name), (1...4095).contains(number) { return number }
    let wanted = name.uppercased()
    let aliases: [String: Int32] = ["EWOULDBLOCK": 11, "EDEADLOCK": 35]
    return aliases[wanted] ?? (1...530).first { SyscallErrno.name($0) == wanted }
  }
}
