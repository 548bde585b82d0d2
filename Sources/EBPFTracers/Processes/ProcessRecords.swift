internal import EBPF
internal import EBPFSystem

// The Swift side of bpf-objects/bpf/process_events.h; ProcessRecordsTests compares each with the
// object's BTF.

/// `struct process_control`.
struct ProcessControl: BitwiseCopyable, Sendable {
  var paused: UInt32 = 0
  var padding: UInt32 = 0
  var firstEvent: UInt64 = 0
}

/// `struct process_counters`, one for each CPU.
struct ProcessCounters: BitwiseCopyable, Sendable {
  var paused: UInt64 = 0
  var excluded: UInt64 = 0
  var sampledOut: UInt64 = 0
  var sent: UInt64 = 0
  var lost: UInt64 = 0
  var pathsCut: UInt64 = 0
  var argumentsCut: UInt64 = 0
  var argumentsUnread: UInt64 = 0

  /// The sum over CPUs.
  init(summing counters: [ProcessCounters]) {
    for cpu in counters {
      paused &+= cpu.paused
      excluded &+= cpu.excluded
      sampledOut &+= cpu.sampledOut
      sent &+= cpu.sent
      lost &+= cpu.lost
      pathsCut &+= cpu.pathsCut
      argumentsCut &+= cpu.argumentsCut
      argumentsUnread &+= cpu.argumentsUnread
    }
  }
}

/// `struct process_record` up to its text.
struct ProcessRecordHeader: BitwiseCopyable, Sendable {
  var time: UInt64 = 0
  var start: UInt64 = 0
  var cgroup: UInt64 = 0
  var process: UInt32 = 0
  var parent: UInt32 = 0
  var user: UInt32 = 0
  var weight: UInt32 = 0
  var what: UInt32 = 0
  var flags: UInt32 = 0
  var status: UInt32 = 0
  var argumentCount: UInt32 = 0
  var pathLength: UInt32 = 0
  var argumentsLength: UInt32 = 0
  var command = CommandName("")

  /// `enum process_event`.
  enum What {
    static let began: UInt32 = 1
    static let ended: UInt32 = 2
  }

  /// `enum process_bits`.
  enum Flags {
    static let pathCut: UInt32 = 1 << 0
    static let argumentsCut: UInt32 = 1 << 1
    static let argumentsUnread: UInt32 = 1 << 2
    static let neverExecuted: UInt32 = 1 << 3
  }

  /// The most bytes of the texts.
  static let pathLimit: UInt32 = 256
  static let argumentsLimit: UInt32 = 1024
}

/// `struct process_record`.
struct ProcessRecord: Sendable {
  var header: ProcessRecordHeader
  var path = ""
  var arguments: [String] = []

  /// Reads a record; nil when it is not what it should be.
  init?(record: RawSpan) {
    typealias Header = ProcessRecordHeader
    guard let header = BitwiseBytes.load(Header.self, from: record),
      header.what == Header.What.began || header.what == Header.What.ended,
      header.pathLength <= Header.pathLimit, header.argumentsLength <= Header.argumentsLimit
    else { return nil }
    self.header = header
    let path = MemoryLayout<Header>.size
    let arguments = path + Int(header.pathLength)
    let end = arguments + Int(header.argumentsLength)
    guard end <= record.byteCount else { return nil }
    self.path = ProcessRecord.texts(record.extracting(path..<arguments)).first ?? ""
    self.arguments = ProcessRecord.texts(record.extracting(arguments..<end))
  }

  /// The texts of bytes in which each ends with a zero, but for the last one of those that were cut.
  private static func texts(_ bytes: RawSpan) -> [String] {
    var parts = BitwiseBytes.array(bytes).split(separator: 0, omittingEmptySubsequences: false)
    if parts.last?.isEmpty == true { parts.removeLast() }
    return parts.map { String(decoding: $0, as: UTF8.self) }
  }
}
