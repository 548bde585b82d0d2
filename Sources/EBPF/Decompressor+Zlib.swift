internal import EBPFSystem

extension Decompressor {
  /// Expands sections with zlib.
  public static let zlib = Decompressor { (stream, limit) throws(EBPFError) in
    do throws(Inflate.Failure) {
      return try Inflate.decompress(stream.span, limit: limit)
    } catch {
      let reason =
        switch error {
        case .malformed(let reason): reason
        case .truncated: "it ends too early"
        case .tooLarge: "it is longer than it says"
        }
      throw EBPFError(
        .malformed, "the compressed data cannot be expanded: \(reason)",
        context: [.offset(UInt64(clamping: stream.origin))],
        hint: "the file may have been copied only in part")
    }
  }
}
