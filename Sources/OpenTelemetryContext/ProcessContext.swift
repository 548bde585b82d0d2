internal import COpenTelemetryContext
internal import Synchronization

/// What this process tells readers outside of it, such as profilers, about itself: its resource.
///
/// One context for a process, in memory that readers find by the name `OTEL_CTX` in `/proc/PID/maps`:
/// OpenTelemetry's OTEP 4719, version 2 of the header. A reader needs the rights of a debugger. A child
/// by `fork(2)` has none until it publishes its own. Linux only.
///
/// ```swift
/// try ProcessContext.publish(["service.name": "orders", "service.version": "1.4.0"])
/// ```
public enum ProcessContext {
  /// What an attribute says.
  public enum Value: Sendable, Hashable {
    /// A text.
    case string(String)
    /// Yes or no.
    case boolean(Bool)
    /// A whole number.
    case integer(Int64)
    /// A number.
    case double(Double)
    /// Texts in order.
    case strings([String])
  }

  /// The most bytes of a context, as readers are told about it.
  public static let sizeLimit = 64 << 10
  /// The most ``publish(_:threadAttributes:)`` can name for threads: a byte tells them apart.
  public static let threadAttributeLimit = 256

  private static let lock = Mutex<Void>(())

  /// Publishes what describes this process, in the place of what was published before.
  ///
  /// Names follow the semantic conventions; `service.name`, `service.instance.id` and `service.version`
  /// are what a profile most needs. Costs three system calls and a page of memory. May be called from any
  /// thread.
  ///
  /// - Parameter threadAttributes: the names of what ``ThreadContext`` tells beside a span. Readers rely on
  ///   a name's place: later calls may add names at the end, and must keep those before.
  public static func publish(
    _ resource: [String: Value], threadAttributes: [String] = []
  ) throws(ProcessContextError) {
    let payload = encode(resource, threadAttributes: threadAttributes)
    guard payload.count <= sizeLimit, threadAttributes.count <= threadAttributeLimit else {
      throw ProcessContextError(
        call: "publish", errno: 7,
        hint: "\(sizeLimit) bytes and \(threadAttributeLimit) names for threads are allowed; "
          + "these are \(payload.count) and \(threadAttributes.count)")
    }
    try lock.withLock { _ throws(ProcessContextError) in
      var call: UnsafePointer<CChar>?
      // SAFETY: the bytes are copied; `call` is a literal of the C code, read before the lock is left.
      let status = unsafe payload.withUnsafeBytes { bytes in
        unsafe otelctx_publish(
          bytes.baseAddress.unsafelyUnwrapped, UInt32(bytes.count), &call)
      }
      guard status == 0 else {
        throw ProcessContextError(
          call: unsafe call.map { unsafe String(cString: $0) } ?? "publish", errno: status,
          hint: "the process works without it; a seccomp filter may forbid the call")
      }
    }
  }

  /// Takes back what was published; nothing when there is nothing.
  public static func withdraw() { lock.withLock { _ in otelctx_withdraw() } }
}

extension ProcessContext.Value: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByArrayLiteral
{
  /// A text.
  public init(stringLiteral value: String) { self = .string(value) }
  /// Yes or no.
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  /// A whole number.
  public init(integerLiteral value: Int64) { self = .integer(value) }
  /// A number.
  public init(floatLiteral value: Double) { self = .double(value) }
  /// Texts in order.
  public init(arrayLiteral elements: String...) { self = .strings(elements) }
}
