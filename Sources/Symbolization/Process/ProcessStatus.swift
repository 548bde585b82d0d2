import EBPFObject
import EBPFSystem

/// What tells one program in one process from a later one with the same process id.
struct ProcessStatus: Sendable, Hashable {
  /// When the process started, in clock ticks since boot.
  let startTime: UInt64
  /// Where the kernel laid the program out, which `exec` chooses anew: see
  /// ``Symbolizer/Program/image``. 0 when it has no memory: a kernel thread, or one that has ended.
  let image: UInt64
  /// The kernel does not tell us the layout: with CAP_PERFMON alone Linux 6.18 shows the mappings of
  /// a process whose layout takes CAP_SYS_PTRACE.
  var isImageHidden: Bool { image == Self.hiddenImage }

  /// The unit of ``startTime``, `USER_HZ`, in nanoseconds; the kernel rounds down.
  static let nanosecondsPerTick: UInt64 = 10_000_000

  /// Asks /proc; throws `ENOENT` or `ESRCH` when there is no such process.
  init(pid: Int32) throws(Errno) {
    let stat = try SystemFile.read("/proc/\(pid)/stat", limit: 1 << 16)
    guard let status = Self(parsing: stat) else { throw .inputOutput }
    self = status
  }

  /// Reads `/proc/PID/stat`. The command is in parentheses and may itself hold blanks and
  /// parentheses, so that fields are counted from the last one, before the third.
  init?(parsing stat: [UInt8]) {
    guard let close = stat.lastIndex(of: 0x29) else { return nil }
    let fields = stat[(close + 1)...].split { $0 == 0x20 || $0 == 0x0a }
    func number(_ field: Int) -> UInt64? {
      fields.count > field - 3 ? UInt64(String(decoding: fields[field - 3], as: UTF8.self)) : nil
    }
    guard let startTime = number(22), let startCode = number(26), let endCode = number(27),
      let startStack = number(28), let startBreak = number(47)
    else { return nil }
    self.startTime = startTime
    image = Self.image(of: [startCode, endCode, startStack, startBreak])
  }

  /// `do_task_stat` puts these in place of what the reader may not see.
  private static let hiddenImage = image(of: [1, 1, 0, 0])

  private static func image(of layout: [UInt64]) -> UInt64 {
    layout.reduce(0) { image, part in image &* Symbolizer.Program.imageFactor &+ part }
  }

  /// The id a process has in its own pid namespace.
  static func namespaceID(of pid: Int32) throws(Errno) -> Int32 {
    namespaceID(try SystemFile.read("/proc/\(pid)/status", limit: 1 << 16)) ?? pid
  }

  /// The last number of the line `NSpid:` in `/proc/PID/status`: the innermost namespace's.
  static func namespaceID(_ status: [UInt8]) -> Int32? {
    for line in status.split(separator: 0x0a) where line.starts(with: "NSpid:".utf8) {
      let ids = line.dropFirst(6).split { $0 == 0x20 || $0 == 0x09 }
      return ids.last.flatMap { Int32(String(decoding: $0, as: UTF8.self)) }
    }
    return nil
  }
}
