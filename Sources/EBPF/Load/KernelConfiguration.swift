internal import EBPFSystem

/// The options a kernel was built with: `CONFIG_…=y`.
///
/// One pass finds where each option's value is; values are decoded when they are asked for.
public struct KernelConfiguration: Sendable {
  /// One option's value.
  public enum Value: Sendable, Hashable {
    /// `y`: built in.
    case yes
    /// `m`: built as a module.
    case module
    /// `n`, or a comment that says `is not set`.
    case no
    /// A number, decimal or hexadecimal.
    case number(UInt64)
    /// A quoted text, without its quotes and backslashes.
    case text(String)
  }

  /// Where it was read from.
  public let path: String
  private let bytes: [UInt8]
  /// Where the value of each option is; an empty range for `# … is not set`.
  private let places: [String: Range<Int>]

  /// Takes the text of a configuration file.
  public init(parsing bytes: [UInt8], path: String = "") {
    self.bytes = bytes
    self.path = path
    places = Self.index(bytes)
  }

  /// The value of an option, with its `CONFIG_`; nil when the file does not mention it.
  ///
  /// Throws when the file's line for it cannot be understood.
  public func value(of name: String) throws(EBPFError) -> Value? {
    guard let place = places[name] else { return nil }
    guard !place.isEmpty else { return .no }
    let line = bytes[place]
    guard let value = Self.decode(line) else {
      throw EBPFError(
        .malformed, "'\(name)=\(String(decoding: line, as: UTF8.self))' is not an option's value",
        context: path.isEmpty ? [] : [.file(path)])
    }
    return value
  }

  /// True when the option is built in or a module.
  public func isEnabled(_ name: String) throws(EBPFError) -> Bool {
    let value = try value(of: name)
    return value == .yes || value == .module
  }

  private static func index(_ bytes: [UInt8]) -> [String: Range<Int>] {
    let unset = Array(" is not set".utf8)
    var places: [String: Range<Int>] = [:]
    places.reserveCapacity(bytes.count / 40)
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      defer { start = end + 1 }
      // `CONFIG_X=value` or `# CONFIG_X is not set`.
      let isComment = bytes[start] == UInt8(ascii: "#")
      let first = isComment ? start + 2 : start
      guard end - first > 7, bytes[first] == UInt8(ascii: "C") else { continue }
      let stop: UInt8 = isComment ? UInt8(ascii: " ") : UInt8(ascii: "=")
      guard let nameEnd = bytes[first..<end].firstIndex(of: stop) else { continue }
      let name = String(decoding: bytes[first..<nameEnd], as: UTF8.self)
      if !isComment {
        places[name] = nameEnd + 1..<end
      } else if bytes[nameEnd..<end].elementsEqual(unset) {
        places[name] = end..<end
      }
    }
    return places
  }

  static func decode(_ text: ArraySlice<UInt8>) -> Value? {
    guard let first = text.first else { return nil }
    if text.count == 1 {
      switch first {
      case UInt8(ascii: "y"): return .yes
      case UInt8(ascii: "m"): return .module
      case UInt8(ascii: "n"): return .no
      default: break
      }
    }
    if first == UInt8(ascii: "\"") { return decodeText(text) }
    let string = String(decoding: text, as: UTF8.self)
    if string.hasPrefix("0x") || string.hasPrefix("0X") {
      return UInt64(string.dropFirst(2), radix: 16).map(Value.number)
    }
    if string.hasPrefix("-") {
      return Int64(string).map { .number(UInt64(bitPattern: $0)) }
    }
    return UInt64(string).map(Value.number)
  }

  private static func decodeText(_ text: ArraySlice<UInt8>) -> Value? {
    guard text.count >= 2, text.last == UInt8(ascii: "\"") else { return nil }
    var decoded: [UInt8] = []
    var isEscaped = false
    for byte in text.dropFirst().dropLast() {
      if !isEscaped, byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else {
        decoded.append(byte)
        isEscaped = false
      }
    }
    return isEscaped ? nil : .text(String(decoding: decoded, as: UTF8.self))
  }
}

// MARK: - Of the running kernel

extension KernelConfiguration {
  /// The running kernel's: `/proc/config.gz`, or the file its distribution installed.
  public static func running() throws(EBPFError) -> KernelConfiguration {
    var paths = ["/proc/config.gz"]
    do throws(Errno) {
      let release = try MachineNames.current().release
      paths += ["/boot/config-\(release)", "/lib/modules/\(release)/config"]
    } catch {
      throw EBPFError(
        .system, "the kernel does not say its release", systemCall: error.failure(of: "uname"))
    }
    var tried: [EBPFError.Context] = []
    for path in paths {
      let bytes: [UInt8]
      do throws(Errno) { bytes = try SystemFile.read(path, limit: sizeLimit) } catch {
        tried.append(.other("tried", "\(path): \(error)"))
        continue
      }
      guard path.hasSuffix(".gz") else { return KernelConfiguration(parsing: bytes, path: path) }
      return KernelConfiguration(parsing: try inflate(bytes, path), path: path)
    }
    throw EBPFError(
      .notFound, "the kernel's configuration is not to be found", context: tried,
      hint: "a kernel with CONFIG_IKCONFIG_PROC shows it in /proc/config.gz")
  }

  private static func inflate(_ bytes: [UInt8], _ path: String) throws(EBPFError) -> [UInt8] {
    do throws(Inflate.Failure) {
      return try Inflate.decompress(bytes.span.rawBytes, limit: sizeLimit).array
    } catch {
      throw EBPFError(
        .malformed, "the compressed configuration cannot be read: \(error)", context: [.file(path)])
    }
  }

  private static let sizeLimit = 4 << 20
}
