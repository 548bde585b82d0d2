internal import SwiftProtobuf

extension TelemetryExport {
  /// Reads a request back from its protocol buffer, which may have been stored for a while.
  public init(signal: TelemetrySignal, protobuf bytes: [UInt8]) throws(OTLPError) {
    do {
      switch signal {
      case .traces: self.init(.traces(try .init(serializedBytes: bytes)))
      case .metrics: self.init(.metrics(try .init(serializedBytes: bytes)))
      case .logs: self.init(.logs(try .init(serializedBytes: bytes)))
      case .profiles: self.init(.profiles(try .init(serializedBytes: bytes)))
      }
    } catch {
      throw OTLPError("\(bytes.count) bytes are no request of \(signal.rawValue): \(error)")
    }
  }
}
