extension Program {
  /// Makes the program run where its section's name says.
  ///
  /// Sections that name no place (`perf_event`, `xdp`, `cgroup/…`) are refused: use ``attach(_:)``.
  public func attachBySection() throws(EBPFError) -> Link {
    try attach(try EBPFError.at(.program(name)) { () throws(EBPFError) in try sectionPoint() })
  }

  /// The place that the section's name says.
  func sectionPoint() throws(EBPFError) -> AttachPoint {
    let section = SectionName(sectionName)
    guard let row = section.row else {
      throw EBPFError(
        .invalidArgument, "section '\(sectionName)' does not say where the program runs",
        hint: "attach it with Program.attach(_:)")
    }
    func required(_ form: String) throws(EBPFError) -> String {
      guard !attachTarget.isEmpty else {
        throw EBPFError(
          .invalidArgument, "section '\(sectionName)' names no place to attach to",
          hint: "write it as \(form), or attach it with Program.attach(_:)")
      }
      return attachTarget
    }
    switch row.attachKind {
    case .kprobe:
      let (function, offset) = try Self.place(try required(row.form))
      return .kprobe(function, offset: offset)
    case .kretprobe: return .kretprobe(try required(row.form))
    case .kprobeMulti, .kretprobeMulti, .kprobeSession:
      return .kprobeMulti(
        [try required(row.form)], atReturn: row.attachKind == .kretprobeMulti)
    case .systemCall: return .kprobe(Self.systemCall(try required(row.form)))
    case .systemCallReturn: return .kretprobe(Self.systemCall(try required(row.form)))
    case .uprobe, .uretprobe:
      let (binary, rest) = try Self.binary(try required(row.form), form: row.form)
      let (function, offset) = try Self.place(rest)
      return row.attachKind == .uprobe
        ? .uprobe(binary, symbol: function, offset: offset) : .uretprobe(binary, symbol: function)
    case .uprobeMulti, .uretprobeMulti, .uprobeSession:
      let (binary, rest) = try Self.binary(try required(row.form), form: row.form)
      return .uprobeMulti(binary, symbols: [rest], atReturn: row.attachKind == .uretprobeMulti)
    case .usdt:
      let (binary, name) = try Self.binary(try required(row.form), form: row.form)
      // `BINARY:PROVIDER:NAME`; the split above took the last colon.
      guard let (file, provider) = Self.lastPart(of: binary) else {
        throw EBPFError(
          .invalidArgument, "'\(attachTarget)' does not name a binary, a provider and a probe",
          hint: "write it as \(row.form)")
      }
      return .usdt(file, provider: provider, name: name)
    case .tracepoint:
      let parts = try required(row.form).split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw EBPFError(
          .invalidArgument, "'\(attachTarget)' is not a tracepoint", hint: "write it as \(row.form)"
        )
      }
      return .tracepoint(String(parts[0]), String(parts[1]))
    case .rawTracepoint: return .rawTracepoint(try required(row.form))
    case .tracing, .lsm, .replacement: return .loadedTarget
    case .structOps:
      throw EBPFError(
        .invalidArgument, "the program runs as a member of a kernel structure",
        hint: "attach the structure: StructOps.attach()")
    case .iterator: return .iterator()
    case .testRun, .mapEntry, .socket:
      throw EBPFError(
        .invalidArgument,
        "a program of section '\(sectionName)' is not attached: \(row.documentation)")
    case .perfEvent:
      throw EBPFError(
        .invalidArgument, "section '\(sectionName)' does not say which event",
        hint: "program.attach(.perfEvent(.cpuClock(hz: 99)))")
    case .cgroup, .lsmCgroup:
      throw EBPFError(
        .invalidArgument, "section '\(sectionName)' does not say which control group",
        hint: "program.attach(.cgroup(\"/sys/fs/cgroup/…\"))")
    case .xdp, .tcx, .trafficControl, .netkit:
      throw EBPFError(
        .invalidArgument, "section '\(sectionName)' does not say which interface",
        hint: "program.attach(.interface(index))")
    default:
      throw EBPFError(
        .unsupported, "programs of section '\(sectionName)' cannot be attached by this version")
    }
  }

  /// `function+16`, the number decimal or hexadecimal.
  private static func place(_ text: String) throws(EBPFError) -> (function: String, offset: UInt64)
  {
    guard let plus = text.lastIndex(of: "+") else { return (text, 0) }
    let digits = text[text.index(after: plus)...]
    let offset =
      digits.hasPrefix("0x") ? UInt64(digits.dropFirst(2), radix: 16) : UInt64(digits)
    guard let offset else {
      throw EBPFError(.invalidArgument, "'\(digits)' in '\(text)' is not an offset")
    }
    return (String(text[..<plus]), offset)
  }

  /// `/path/to/binary:rest` or `libc.so.6:rest`.
  private static func binary(
    _ text: String, form: String
  ) throws(EBPFError) -> (binary: UserProbe.Binary, rest: String) {
    guard let colon = text.lastIndex(of: ":"), colon != text.startIndex else {
      throw EBPFError(
        .invalidArgument, "'\(text)' does not name a binary and a function",
        hint: "write it as \(form)")
    }
    let file = String(text[..<colon])
    return (self.file(file), String(text[text.index(after: colon)...]))
  }

  /// Section names cannot have two slashes in a row: libbpf's leave the first one of a path out.
  private static func file(_ name: String) -> UserProbe.Binary {
    name.contains("/") ? .path(name) : .library(name)
  }

  /// Takes `:provider` off a binary's name.
  private static func lastPart(
    of binary: UserProbe.Binary
  ) -> (binary: UserProbe.Binary, provider: String)? {
    let name = "\(binary)"
    guard let colon = name.lastIndex(of: ":"), colon != name.startIndex else { return nil }
    return (file(String(name[..<colon])), String(name[name.index(after: colon)...]))
  }

  /// The kernel function behind a system call on this architecture.
  private static func systemCall(_ name: String) -> String {
    #if arch(x86_64)
      "__x64_sys_\(name)"
    #elseif arch(arm64)
      "__arm64_sys_\(name)"
    #else
      "sys_\(name)"
    #endif
  }
}
