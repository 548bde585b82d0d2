internal import CEBPF

/// What `/proc/PID/status` says, as far as this package asks.
public struct ProcessStatus: Sendable, Hashable {
  /// The command's name.
  public var name = ""
  /// The process, not the thread.
  public var threadGroup: Int32 = 0
  /// The parent.
  public var parent: Int32 = 0
  /// The process in each of its nested PID namespaces, outermost first.
  public var namespaceIDs: [Int32] = []
  /// The effective user.
  public var effectiveUser: UInt32 = 0
  /// Effective capabilities, a bit each.
  public var effectiveCapabilities: UInt64 = 0
  /// The bounding set.
  public var boundingCapabilities: UInt64 = 0
  /// 0 off, 1 strict, 2 filtered.
  public var seccomp = 0
  /// Resident memory in bytes.
  public var residentBytes: UInt64 = 0
  /// The number of threads.
  public var threads = 0

  /// Reads the status of a process; nil for this one.
  public init(of process: Int32? = nil) throws(Errno) {
    let directory = if let process { String(process) } else { "self" }
    self.init(parsing: try SystemFile.text("/proc/\(directory)/status", limit: 1 << 20))
  }

  /// Reads the text of such a file; unknown lines are passed over.
  public init(parsing text: String) {
    for line in text.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].drop { $0 == "\t" || $0 == " " }
      let words = value.split(whereSeparator: \.isWhitespace)
      switch line[..<colon] {
      case "Name": name = String(value)
      case "Tgid": threadGroup = words.first.flatMap { Int32($0) } ?? 0
      case "PPid": parent = words.first.flatMap { Int32($0) } ?? 0
      case "NStgid": namespaceIDs = words.compactMap { Int32($0) }
      case "Uid": effectiveUser = words.dropFirst().first.flatMap { UInt32($0) } ?? 0
      case "CapEff": effectiveCapabilities = UInt64(value, radix: 16) ?? 0
      case "CapBnd": boundingCapabilities = UInt64(value, radix: 16) ?? 0
      case "Seccomp": seccomp = Int(value) ?? 0
      case "VmRSS":
        let kilobytes = words.first.flatMap { UInt64($0) } ?? 0
        residentBytes = kilobytes.multipliedReportingOverflow(by: 1024).partialValue
      case "Threads": threads = Int(value) ?? 0
      default: break
      }
    }
  }

  /// Whether an effective capability is present.
  public func has(_ capability: Capability) -> Bool {
    effectiveCapabilities >> capability.rawValue & 1 == 1
  }
}

/// This process, from the kernel's side.
public enum CurrentProcess {
  /// Its id, in its own PID namespace.
  public static var id: Int32 { cebpf_process_id() }
  /// The id of the process that started it.
  public static var parent: Int32 { cebpf_parent_id() }
  /// The calling thread's id.
  public static var threadID: Int32 { cebpf_thread_id() }
  /// The effective user.
  public static var effectiveUser: UInt32 { cebpf_effective_user() }
  /// The size of a memory page.
  public static var pageSize: Int { MappedRegion.pageSize }

  /// What main() got. Unlike `CommandLine.arguments` also complete where /proc is not mounted.
  public static var arguments: [String] {
    (0..<cebpf_argument_count()).compactMap { index in
      unsafe cebpf_argument(index).map { unsafe String(cString: $0) }
    }
  }

  /// Binds the calling thread to one CPU.
  public static func bind(toCPU cpu: Int) throws(Errno) {
    _ = try Errno.check(cebpf_bind_to_cpu(Int32(clamping: cpu)))
  }
}
