internal import EBPF
internal import EBPFSystem
public import Profiles

/// One system call of one thread, with its arguments.
public struct SyscallEvent: Sendable {
  /// How a call ended.
  public enum Result: Sendable, Hashable {
    /// What it returned.
    case value(Int64)
    /// The errno it failed with.
    case error(Int32)
    /// It is one of those that never return.
    case neverReturns
  }

  /// When it was entered, in nanoseconds of the monotonic clock.
  public var entered: UInt64
  /// How long it took, in nanoseconds.
  public var nanoseconds: UInt64
  /// How it ended.
  public var result: Result
  /// The process.
  public var process: Int32
  /// The thread.
  public var thread: Int32
  /// The thread's name when the call ended.
  public var command: String
  /// The call.
  public var call: Syscall
  /// The six argument registers, also those that the call does not use.
  public var registers: InlineArray<6, UInt64>
  /// The user stack that made the call, leaf first; empty unless asked for.
  public var stack: [UInt64]
  /// The stack goes on.
  public var stackIsCut: Bool
  /// What the thread was at work on, where its process tells and
  /// ``SyscallTracerConfiguration/linksSpans`` asks for it.
  public var span: Profile.Span?
  /// For how many calls it stands: more than 1 while ``TracerEconomy/sampling`` is.
  public var weight: UInt32

  /// The process by its number and start.
  var processIdentity: UInt64
  /// What the first pointer led to: a text without its zero, or a socket address.
  var first: [UInt8]
  /// What the second led to: a text or data.
  var second: [UInt8]
  var flags: UInt32

  /// `enum event_bits`.
  enum Flags {
    static let returned: UInt32 = 1 << 0
    static let textCut: UInt32 = 1 << 1
    static let secondTextCut: UInt32 = 1 << 2
    static let isAddress: UInt32 = 1 << 3
    static let isData: UInt32 = 1 << 4
    static let stackCut: UInt32 = 1 << 5
  }
}

/// Where the parts of `struct syscall_event` are.
enum SyscallEventLayout {
  static let entered = 0
  static let duration = 8
  static let result = 16
  static let process = 24
  static let arguments = 32
  static let tgid = 80
  static let tid = 84
  static let call = 88
  static let flags = 92
  static let command = 96
  static let length = 112
  static let depth = 120
  static let weight = 124
  static let span = 128
  static let first = 152
  static let text = 512
  static let second = first + text
  static let stack = second + text
  static let stackLimit = 127
}

extension SyscallEvent {
  /// Reads a record; nil when it is not what it should be.
  init?(record: RawSpan) {
    typealias Layout = SyscallEventLayout
    func word(_ offset: Int) -> UInt64 {
      record.integer(at: offset, as: UInt64.self, order: .host) ?? 0
    }
    func half(_ offset: Int) -> UInt32 {
      record.integer(at: offset, as: UInt32.self, order: .host) ?? 0
    }
    guard record.byteCount >= Layout.first else { return nil }
    flags = half(Layout.flags)
    call = Syscall(word: half(Layout.call))
    entered = word(Layout.entered)
    nanoseconds = word(Layout.duration)
    let value = Int64(bitPattern: word(Layout.result))
    result =
      flags & Flags.returned == 0
      ? .neverReturns
      : (-4095...(-1)).contains(value) && call.name != "rt_sigreturn"
        ? .error(Int32(-value)) : .value(value)
    process = Int32(truncatingIfNeeded: half(Layout.tgid))
    processIdentity = word(Layout.process)
    thread = Int32(truncatingIfNeeded: half(Layout.tid))
    command = CommandName(words: word(Layout.command), word(Layout.command + 8)).text
    registers = InlineArray<6, UInt64> { word(Layout.arguments + 8 * $0) }
    stackIsCut = flags & Flags.stackCut != 0
    weight = half(Layout.weight)
    span = SpanLink(record: record, at: Layout.span).flatMap(Profile.Span.init)
    let lengths = (Int(half(Layout.length)), Int(half(Layout.length + 4)))
    let depth = Int(half(Layout.depth))
    guard lengths.0 <= Layout.text, lengths.1 <= Layout.text, depth <= Layout.stackLimit else {
      return nil
    }
    guard let first = SyscallEvent.bytes(record, Layout.first, lengths.0),
      let second = SyscallEvent.bytes(record, Layout.second, lengths.1)
    else { return nil }
    self.first = first
    self.second = second
    guard depth == 0 || record.byteCount >= Layout.stack + 8 * depth else { return nil }
    stack = (0..<depth).map { word(Layout.stack + 8 * $0) }
  }

  private static func bytes(_ record: RawSpan, _ offset: Int, _ count: Int) -> [UInt8]? {
    guard count > 0 else { return [] }
    guard offset + count <= record.byteCount else { return nil }
    return BitwiseBytes.array(record.extracting(offset..<offset + count))
  }
}
