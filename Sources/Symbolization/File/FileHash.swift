import EBPFObject
import EBPFSystem

/// What OpenTelemetry's profiles know a file by where it has no build id: `htlhash`, a hash of head, tail
/// and length, which does not read the rest.
enum FileHash {
  private static let part = 4096

  /// 32 lower-case hexadecimal digits; nil where there is no SHA-256.
  static func of(_ file: Bytes) throws(EBPFError) -> String? {
    let count = min(file.count, part)
    var input = try file.slice(at: 0, count: count).array
    input += try file.slice(at: file.count - count, count: count).array
    let length = UInt64(file.count)
    for shift in stride(from: UInt64(56), through: 0, by: -8) {
      input.append(UInt8(truncatingIfNeeded: length >> shift))
    }
    return SHA256.digest(input).map { Bytes(Array($0.prefix(16))).hexadecimal }
  }
}
