public import EBPFObject
public import EBPFSystem

/// Finds and reads what a process publishes of itself: "Reading Protocol" of OpenTelemetry's OTEP 4719,
/// header version 2, with the stamp `monotonic_published_at_ns`.
///
/// The process may lie: sizes are limited, addresses that lead nowhere are errors, and what changes all
/// the time is given up after a few attempts.
public enum PublishedContextReader {
  /// The largest payload that is read.
  public static let sizeLimit: UInt64 = 64 << 10
  /// How often a context that changes while it is read is read again.
  static let attempts = 8
  /// How many mappings that could be a context are looked at.
  static let mappingLimit = 8

  private static let headerSize = 32
  private static let version: UInt64 = 2

  /// The mappings that are called what those of contexts are called.
  ///
  /// With the kernel's support for names the first is what is seen, `[anon:…]` where the process could not
  /// make a memfd, and the last without that support.
  public static func candidates(_ maps: ProcessMaps) -> [ProcessMapping] {
    let names = ["[anon_shmem:OTEL_CTX]", "[anon:OTEL_CTX]", "/memfd:OTEL_CTX"]
    return Array(maps.mappings.lazy.filter { names.contains($0.path) }.prefix(mappingLimit))
  }

  /// True where the text of `/proc/PID/maps` can name a context at all: cheaper than parsing it.
  public static func mentionsContext(_ maps: [UInt8]) -> Bool {
    let name = Array("OTEL_CTX".utf8)
    var start = maps.startIndex
    while let first = maps[start...].firstIndex(of: name[0]) {
      if maps[first...].starts(with: name) { return true }
      start = first + 1
    }
    return false
  }

  /// The context among a process's mappings; nil when there is none. Where several mappings look like one,
  /// the first that is one counts.
  public static func read(
    _ maps: ProcessMaps, _ memory: borrowing some ReadableMemory & ~Copyable
  ) throws(EBPFError) -> PublishedContext? {
    var refusal: EBPFError?
    for mapping in candidates(maps) {
      do throws(EBPFError) { return try read(at: mapping.start, memory) } catch {
        refusal = refusal ?? error
      }
    }
    if let refusal { throw refusal }
    return nil
  }

  /// The context whose header is at an address.
  static func read(
    at address: UInt64, _ memory: borrowing some ReadableMemory & ~Copyable
  ) throws(EBPFError) -> PublishedContext {
    for _ in 0..<attempts {
      let header = try bytes(memory, address, headerSize, "header")
      guard let payload = try payload(header) else { continue }
      // A payload that is being replaced may be anything, or gone: who is to blame shows the header.
      let content: [UInt8]?
      var failure: EBPFError?
      do throws(EBPFError) {
        content = try bytes(memory, payload.address, Int(payload.size), "payload")
      } catch {
        (content, failure) = (nil, error)
      }
      guard try bytes(memory, address, headerSize, "header") == header else { continue }
      if let failure { throw failure }
      var context = try PublishedContext(decoding: content ?? [])
      context.stamp = payload.stamp
      return context
    }
    throw EBPFError(
      .invalidState, "the process context changed each of the \(attempts) times that it was read",
      context: [.offset(address)], hint: "it is read again when more is seen of the process")
  }

  /// Where a header says that its payload is; nil while it is being changed.
  private static func payload(
    _ header: [UInt8]
  ) throws(EBPFError) -> (address: UInt64, size: UInt64, stamp: UInt64)? {
    func number(_ range: Range<Int>) -> UInt64 {
      header[range].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    guard header[0..<8].elementsEqual("OTEL_CTX".utf8) else {
      throw EBPFError(
        .malformed, "a mapping is called 'OTEL_CTX', but no process context begins there",
        hint: "the process may be about to publish one")
    }
    guard number(8..<12) == version else {
      throw EBPFError(
        .unsupported,
        "the process context has version \(number(8..<12)), and version \(version) is known here")
    }
    let (size, stamp, address) = (number(12..<16), number(16..<24), number(24..<32))
    guard stamp != 0 else { return nil }
    guard size <= sizeLimit else {
      throw EBPFError(
        .tooLarge, "the process context says that it has \(size) bytes; \(sizeLimit) are read")
    }
    return (address, size, stamp)
  }

  private static func bytes(
    _ memory: borrowing some ReadableMemory & ~Copyable, _ address: UInt64, _ count: Int,
    _ what: String
  ) throws(EBPFError) -> [UInt8] {
    do throws(Errno) { return try memory.read(at: address, count: count) } catch {
      throw EBPFError(
        error == .inputOutput || error == .invalid ? .malformed : .system,
        "the \(what) of the process context cannot be read: \(count) bytes at "
          + "0x\(String(address, radix: 16))",
        systemCall: .init(call: "pread", errno: error.rawValue, name: error.name))
    }
  }
}
