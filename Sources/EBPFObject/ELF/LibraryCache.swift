/// Where the dynamic linker finds libraries by name: `/etc/ld.so.cache`.
///
/// Reads glibc's format 1.1, alone or after the older one (`sysdeps/generic/dl-cache.h`), in the
/// byte order of this machine. Names are read when they are asked for. musl has no such file.
public struct LibraryCache: Sendable {
  /// One library.
  public struct Entry: Sendable, Hashable {
    /// Its soname: `libc.so.6`.
    public var name: String
    /// The path of its file.
    public var path: String
    /// The kind of library and its processor (`FLAG_*`): 0x303 for x86_64, 0xa00|3 for aarch64.
    public var flags: Int32
    /// Which processors it is for, when not for all; 0 for all.
    public var hardwareCapabilities: UInt64
  }

  /// The number of libraries.
  public let count: Int
  private let bytes: Bytes

  private static let magic = "glibc-ld.so.cache1.1"
  private static let oldMagic = "ld.so-1.7.0"
  private static let headerSize = 48
  private static let entrySize = 24
  /// No system has more libraries; each takes two strings.
  private static let mostEntries: UInt32 = 1 << 18
  /// The longest path that Linux opens.
  private static let longestString = 4096

  /// Reads the file.
  ///
  /// Throws `malformed` when it is another format, or a table or name lies outside of it.
  public init(parsing file: Bytes) throws(EBPFError) {
    let bytes = try Self.newFormat(of: file)
    let order = ByteOrder.host
    let count: UInt32 = try bytes.load(at: 20, order: order)
    guard count <= Self.mostEntries else {
      throw EBPFError(
        .tooLarge, "the cache says it has \(count) libraries", context: [.offset(20)])
    }
    _ = try bytes.slice(at: Self.headerSize, count: Int(count) * Self.entrySize)
    self.bytes = bytes
    self.count = Int(count)
  }

  /// The library at `index` of the file.
  public func entry(at index: Int) throws(EBPFError) -> Entry {
    Entry(
      name: try string(at: try field(index, 4)), path: try string(at: try field(index, 8)),
      flags: try field(index, 0), hardwareCapabilities: try field(index, 16))
  }

  private func field<Value: FixedWidthInteger & BitwiseCopyable>(
    _ index: Int, _ offset: Int
  ) throws(EBPFError) -> Value {
    guard index >= 0, index < count else {
      throw EBPFError(.invalidArgument, "library \(index) of \(count)")
    }
    return try bytes.load(at: Self.headerSize + index * Self.entrySize + offset, order: .host)
  }

  /// The part of the file in the format 1.1.
  private static func newFormat(of file: Bytes) throws(EBPFError) -> Bytes {
    var bytes = file
    if file.begins(with: oldMagic) {
      let count: UInt32 = try file.load(at: 12, order: .host)
      let end = (16 + UInt64(count) * 12).roundedUp(to: 8)
      let rest = UInt64(file.count)
      guard end <= rest else {
        throw EBPFError(
          .malformed, "the old table of \(count) libraries goes past the end of the file",
          context: [.offset(12)])
      }
      bytes = try file.slice(at: end, count: rest - end)
    }
    guard bytes.begins(with: magic), bytes.count >= headerSize else {
      throw EBPFError(
        .malformed, "the file is no library cache of format 1.1",
        hint: "ldconfig writes /etc/ld.so.cache anew")
    }
    return bytes
  }

  /// Strings are at offsets from the start of the new format.
  private func string(at offset: UInt32) throws(EBPFError) -> String {
    let start = Int(offset)
    let limit = min(Self.longestString, bytes.count - start)
    guard limit > 0 else {
      throw EBPFError(
        .malformed, "a name begins outside the file", context: [.offset(UInt64(offset))])
    }
    let text = try bytes.slice(at: start, count: limit)
    guard let length = text.distanceToZero(from: 0) else {
      throw EBPFError(.malformed, "a name has no end", context: [.offset(UInt64(offset))])
    }
    return try text.slice(at: 0, count: length).text
  }

  /// The paths of the libraries of that soname for the machine's own word size, those for every
  /// processor first.
  public func paths(for name: String) throws(EBPFError) -> [String] {
    var forAll: [String] = []
    var forSome: [String] = []
    for index in 0..<count {
      let flags: Int32 = try field(index, 0)
      let start: UInt32 = try field(index, 4)
      guard flags & 0xff00 == Self.ownArchitecture, bytes.holds(name, at: Int(start)) else {
        continue
      }
      let entry = try entry(at: index)
      if entry.hardwareCapabilities == 0 {
        forAll.append(entry.path)
      } else {
        forSome.append(entry.path)
      }
    }
    return forAll + forSome
  }

  #if arch(x86_64)
    /// `FLAG_X8664_LIB64`.
    private static let ownArchitecture: Int32 = 0x300
  #elseif arch(arm64)
    /// `FLAG_AARCH64_LIB64`.
    private static let ownArchitecture: Int32 = 0xa00
  #else
    private static let ownArchitecture: Int32 = 0
  #endif
}

extension Bytes {
  /// True when the bytes start with a text.
  fileprivate func begins(with text: String) -> Bool {
    guard count >= text.utf8.count else { return false }
    let span = span
    return text.utf8.enumerated().allSatisfy { span.byte(at: $0) == $1 }
  }
}
