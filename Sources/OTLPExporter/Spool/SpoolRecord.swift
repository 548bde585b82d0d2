internal import Compression
internal import OTLP

/// One request as a file: a header that tells whether the rest is whole, then its protobuf bytes.
///
/// 24 bytes, little-endian: `OTLPSPL1`, signal (1), zero (3), items (4), length (4), CRC-32 of all
/// other bytes (4).
struct SpoolRecord: Sendable, Hashable {
  /// Why bytes are no record.
  struct Damage: Error, Hashable {
    var description: String
    init(_ description: String) { self.description = description }
  }

  static let headerSize = 24
  private static let magic = Array("OTLPSPL1".utf8)

  var signal: TelemetrySignal
  var itemCount: Int
  var body: [UInt8]

  init(signal: TelemetrySignal, itemCount: Int, body: [UInt8]) {
    self.signal = signal
    self.itemCount = itemCount
    self.body = body
  }

  /// The record as a file's content.
  func encoded() -> [UInt8] {
    var bytes = SpoolRecord.magic
    bytes.reserveCapacity(SpoolRecord.headerSize + body.count)
    bytes += [SpoolRecord.number(signal), 0, 0, 0]
    bytes.append(littleEndian: UInt32(clamping: itemCount))
    bytes.append(littleEndian: UInt32(clamping: body.count))
    let sum = Checksum.crc32(body, continuing: Checksum.crc32(bytes))
    bytes.append(littleEndian: sum)
    return bytes + body
  }

  /// Reads a file's content, which may be anything.
  init(decoding bytes: [UInt8], signal: TelemetrySignal) throws(Damage) {
    guard bytes.count >= SpoolRecord.headerSize else {
      throw Damage("it has \(bytes.count) bytes, and the header alone has 24")
    }
    guard bytes.prefix(8).elementsEqual(SpoolRecord.magic) else {
      throw Damage("it does not begin with OTLPSPL1")
    }
    guard bytes[8] == SpoolRecord.number(signal) else {
      throw Damage("it holds another signal than \(signal.rawValue)")
    }
    let length = Int(bytes.littleEndian(at: 16))
    guard bytes.count - SpoolRecord.headerSize == length else {
      throw Damage("it should hold \(length) bytes and has \(bytes.count - SpoolRecord.headerSize)")
    }
    let body = Array(bytes[SpoolRecord.headerSize...])
    let sum = Checksum.crc32(body, continuing: Checksum.crc32(Array(bytes[..<20])))
    guard sum == bytes.littleEndian(at: 20) else { throw Damage("its checksum is wrong") }
    self.init(signal: signal, itemCount: Int(bytes.littleEndian(at: 12)), body: body)
  }

  private static func number(_ signal: TelemetrySignal) -> UInt8 {
    switch signal {
    case .traces: 1
    case .metrics: 2
    case .logs: 3
    case .profiles: 4
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(littleEndian value: UInt32) {
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  /// Four bytes as a number; the caller knows that they exist.
  fileprivate func littleEndian(at offset: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(self[offset + $1]) << UInt32(8 * $1) }
  }
}
