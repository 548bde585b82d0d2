internal import EBPFSystem

/// Single questions to `/proc/kallsyms`, answered in one pass without keeping the list.
enum KernelSymbolNames {
  private static let path = "/proc/kallsyms"

  /// The addresses of these symbols; those the kernel does not have are missing.
  ///
  /// Throws when a name has several addresses, or when the kernel hides addresses.
  static func addresses(of names: Set<String>) throws(EBPFError) -> [String: UInt64] {
    var wanted: [[UInt8]: String] = [:]
    for name in names { wanted[Array(name.utf8)] = name }
    let lengths = Set(wanted.keys.map(\.count))
    var found: [String: UInt64] = [:]
    try forEach { (address, name) throws(EBPFError) in
      guard lengths.contains(name.count), let text = wanted[Array(name)] else { return }
      guard address != 0 else { throw hidden() }
      if let other = found[text], other != address {
        throw EBPFError(
          .unresolved, "the kernel has several symbols '\(text)'", context: [.file(path)],
          hint: "give the variable its type in the program, so that BTF tells which one is meant")
      }
      found[text] = address
    }
    return found
  }

  /// The names of the kernel's functions.
  static func functions() throws(EBPFError) -> [String] {
    var names: [String] = []
    try forEachFunction { (_, name) in names.append(String(decoding: name, as: UTF8.self)) }
    return names
  }

  /// The address, zero where the kernel hides it, and the name of each function.
  static func forEachFunction(
    _ body: (UInt64, ArraySlice<UInt8>) throws(EBPFError) -> Void
  ) throws(EBPFError) {
    try forEach(kinds: Set("TtWw".utf8), body)
  }

  private static func hidden() -> EBPFError {
    EBPFError(
      .denied, "the kernel hides its addresses: they are zero", context: [.file(path)],
      hint: "run with CAP_SYSLOG, and with /proc/sys/kernel/kptr_restrict at 0 or 1")
  }

  /// Every line `address kind name`, with or without `\t[module]`.
  private static func forEach(
    kinds: Set<UInt8>? = nil, _ body: (UInt64, ArraySlice<UInt8>) throws(EBPFError) -> Void
  ) throws(EBPFError) {
    let text: [UInt8]
    do throws(Errno) { text = try SystemFile.read(path, limit: 256 << 20) } catch {
      throw EBPFError(
        .system, "the kernel's symbols cannot be read", context: [.file(path)],
        systemCall: error.failure(of: "read"))
    }
    var start = 0
    while start < text.count {
      var position = start
      var address: UInt64 = 0
      while position < text.count, let digit = hexadecimal(text[position]) {
        address = address << 4 | digit
        position += 1
      }
      guard position > start, text.count - position > 3 else {
        throw EBPFError(
          .malformed, "a line is not a symbol", context: [.file(path), .offset(UInt64(start))])
      }
      let kind = text[position + 1]
      let nameStart = position + 3
      position = nameStart
      while position < text.count, text[position] > 0x20 { position += 1 }
      if kinds?.contains(kind) ?? true { try body(address, text[nameStart..<position]) }
      while position < text.count, text[position] != 0x0a { position += 1 }
      start = position + 1
    }
  }

  private static func hexadecimal(_ byte: UInt8) -> UInt64? {
    switch byte {
    case 0x30...0x39: UInt64(byte - 0x30)
    case 0x61...0x66: UInt64(byte - 0x61 + 10)
    default: nil
    }
  }
}
