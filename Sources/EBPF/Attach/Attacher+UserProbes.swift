internal import EBPFSystem

extension Attacher {
  func attach(to probe: UserProbe) throws(EBPFError) -> Link {
    let target = try UserProbeTarget(probe)
    if probe.atReturn { try target.refuseGoReturn() }
    let offset = try target.fileOffset(of: probe.location)
    return try attach(at: [place(offset, probe)], probe, target)
  }

  /// By one link where the program was loaded for that, else by one performance event for each place.
  func attach(
    at places: [ProbePlace], _ probe: UserProbe, _ target: UserProbeTarget
  ) throws(EBPFError) -> Link {
    isMulti
      ? try attachMulti(places, probe, target) : try attachSingly(places, probe, target)
  }

  private func place(_ offset: UInt64, _ probe: UserProbe) -> ProbePlace {
    ProbePlace(offset: offset, semaphore: probe.semaphore, cookie: point.cookie)
  }

  /// By one performance event for each place.
  private func attachSingly(
    _ places: [ProbePlace], _ probe: UserProbe, _ target: UserProbeTarget,
    after refusals: [Link.Refusal] = []
  ) throws(EBPFError) -> Link {
    let process = try processID(probe) ?? -1
    let requests = places.map { place in
      var request = ProbeRequest(
        unit: "uprobe", name: target.path, offset: place.offset, atReturn: probe.atReturn)
      request.process = process
      request.semaphore = place.semaphore
      request.cookie = place.cookie
      return request
    }
    return try attach(requests, after: refusals) { (error, mechanism) in
      explain(error, mechanism, probe, process)
    }
  }

  func attach(
    toAll places: [UserProbe.Location], like probe: UserProbe
  ) throws(EBPFError) -> Link {
    guard !places.isEmpty else {
      throw EBPFError(.invalidArgument, "there are no functions to attach to")
    }
    guard isMulti else {
      throw EBPFError(
        .invalidArgument, "the program was not loaded to run at many functions",
        hint: "put it into section uprobe.multi, or set its attach type before loading; Linux 6.6")
    }
    let target = try UserProbeTarget(probe)
    if probe.atReturn { try target.refuseGoReturn() }
    var offsets: [UInt64] = []
    for place in places {
      guard case .symbol(let pattern, _) = place else {
        offsets.append(try target.fileOffset(of: place))
        continue
      }
      for name in try target.names(matching: pattern) {
        offsets.append(try target.fileOffset(of: .symbol(name, offset: 0)))
      }
    }
    return try attachMulti(offsets.map { self.place($0, probe) }, probe, target)
  }

  private var isMulti: Bool {
    program.attachType == .traceUprobeMulti || program.attachType == .traceUprobeSession
  }

  func processID(_ probe: UserProbe) throws(EBPFError) -> Int32? {
    guard let process = probe.process else { return nil }
    guard process > 0 else {
      throw EBPFError(.invalidArgument, "\(process) is not a process id")
    }
    return process
  }

  private func attachMulti(
    _ places: [ProbePlace], _ probe: UserProbe, _ target: UserProbeTarget
  ) throws(EBPFError) -> Link {
    let process = try processID(probe)
    let request = LinkRequest(
      program: descriptor, target: 0, attachType: program.attachType.rawValue,
      detail: .uprobeMulti(
        flags: probe.atReturn ? 1 : 0, path: target.path, offsets: places.map(\.offset),
        semaphores: places.contains { $0.semaphore != 0 } ? places.map(\.semaphore) : [],
        cookies: places.contains { $0.cookie != 0 } ? places.map(\.cookie) : [],
        process: UInt32(bitPattern: process ?? 0)))
    do throws(Errno) {
      return link(try kernel.createLink(request), by: .uprobeMulti)
    } catch {
      if let final = explain(error, .uprobeMulti, probe, process ?? -1) { throw final }
      let failure = error.failure(of: "bpf(BPF_LINK_CREATE)")
      // A kernel before 6.6 knows neither the link nor the attach type, and so runs the program at
      // single places like any other.
      if error == .invalid, program.attachType == .traceUprobeMulti,
        KernelFeatures(kernel: kernel).userProbesMulti.verdict == .no
      {
        return try attachSingly(
          places, probe, target,
          after: [Link.Refusal(mechanism: .uprobeMulti, reason: "\(error)")])
      }
      if error == .invalid {
        throw EBPFError(
          .unsupported, "this kernel cannot attach to \(point)", systemCall: failure,
          hint: "uprobe.multi needs Linux 6.6, uprobe.session 6.13")
      }
      throw refusal(error, "\(point)", failure)
    }
  }

  private func explain(
    _ error: Errno, _ mechanism: Link.Mechanism, _ probe: UserProbe, _ process: Int32
  ) -> EBPFError? {
    let call =
      switch mechanism {
      case .tracefs: "write"
      case .uprobeMulti: "bpf(BPF_LINK_CREATE)"
      default: "perf_event_open"
      }
    let failure = error.failure(of: call)
    switch error {
    case .noProcess:
      return EBPFError(.notFound, "there is no process \(process)", systemCall: failure)
    case .accessDenied where mechanism == .perfEvent:
      // tracefs asks for other rights, but the event on it for the same: CAP_PERFMON at least.
      return nil
    case .notPermitted where mechanism == .perfEvent:
      return PerfEventLimits.denied(error, "\(probe)")
    case .noEntry where mechanism != .tracefs:
      return EBPFError(
        .notFound, "the kernel does not find \(probe.binary)", systemCall: failure,
        hint: "the file has to be an ordinary file on a file system with a page cache")
    default: return nil
    }
  }
}

/// One place in a file, and what goes with it.
struct ProbePlace {
  let offset: UInt64
  /// Where the file has its semaphore; 0 for none.
  let semaphore: UInt64
  /// What the program reads with `bpf_get_attach_cookie`.
  let cookie: UInt64
}

/// The file a user probe goes into, opened and read.
struct UserProbeTarget {
  /// The path the kernel gets.
  let path: String
  let elf: ELFFile

  init(_ probe: UserProbe) throws(EBPFError) {
    path = try Self.path(of: probe)
    elf = try EBPFError.at(.file(path)) { [path] () throws(EBPFError) in
      try ELFFile(try Self.read(path))
    }
  }

  private static func path(of probe: UserProbe) throws(EBPFError) -> String {
    switch probe.binary {
    case .path(let path):
      guard !path.isEmpty else {
        throw EBPFError(.invalidArgument, "the path of the binary is empty")
      }
      return path
    case .process(let id): return "/proc/\(id)/exe"
    case .library(let name): return try LibraryLocator(pid: probe.process).locate(name).path
    }
  }

  private static func read(_ path: String) throws(EBPFError) -> Bytes {
    do throws(Errno) { return try MappedFile.open(path) } catch {
      let failure = error.failure(of: "open")
      switch error {
      case .noEntry:
        throw EBPFError(.notFound, "there is no such file", systemCall: failure)
      case .accessDenied, .notPermitted:
        throw EBPFError(.denied, "the file cannot be read", systemCall: failure)
      case .isDirectory, .illegalSeek:
        throw EBPFError(.invalidArgument, "it is not an ordinary file", systemCall: failure)
      default: throw EBPFError(.system, "the file cannot be read", systemCall: failure)
      }
    }
  }

  /// Where in the file the place is, by the program headers: the kernel maps by those.
  func fileOffset(of location: UserProbe.Location) throws(EBPFError) -> UInt64 {
    try EBPFError.at(.file(path)) { () throws(EBPFError) -> UInt64 in
      switch location {
      case .fileOffset(let offset):
        guard elf.address(ofFileOffset: offset) != nil else {
          throw EBPFError(
            .invalidArgument, "offset 0x\(String(offset, radix: 16)) is not in the file's code",
            hint: "an address is not an offset: 'readelf -lW' shows how they relate")
        }
        return offset
      case .symbol(let name, let extra): return try offset(ofSymbol: name, plus: extra)
      }
    }
  }

  private func offset(ofSymbol name: String, plus extra: UInt64) throws(EBPFError) -> UInt64 {
    guard !name.isEmpty else { throw EBPFError(.invalidArgument, "the function's name is empty") }
    let function: ELFFile.Function
    do throws(EBPFError) { function = try elf.function(named: name) } catch {
      guard error.code == .notFound else { throw error }
      var error = error
      let similar = NearNames.hint(for: name, in: try functionNames())
      error.hint = [similar, error.hint].compactMap(\.self).joined(separator: "; ")
      throw error
    }
    guard !function.isIndirect else {
      throw EBPFError(
        .unsupported,
        "'\(name)' is chosen when the program starts (STT_GNU_IFUNC): its symbol is the "
          + "function that chooses", context: [.symbol(name)],
        hint: "probe the implementations, such as __\(name)_avx2, or the address a process uses")
    }
    let (address, overflow) = function.address.addingReportingOverflow(extra)
    guard !overflow, extra == 0 || function.size == 0 || extra < function.size else {
      throw EBPFError(
        .invalidArgument, "'\(name)' has only \(function.size) bytes, so \(extra) is past its end",
        context: [.symbol(name)])
    }
    guard let offset = elf.fileOffset(ofAddress: address) else {
      throw EBPFError(
        .malformed,
        "the address 0x\(String(address, radix: 16)) of '\(name)' is in no code segment",
        context: [.symbol(name)])
    }
    return offset
  }

  /// The functions a pattern with `*` and `?` means; a name without them stands for itself.
  func names(matching pattern: String) throws(EBPFError) -> [String] {
    guard Glob.isPattern(pattern) else { return [pattern] }
    let glob = Glob(pattern)
    let found = try functionNames().filter { glob.matches($0) }
    guard !found.isEmpty else {
      throw EBPFError(
        .notFound, "no function of the file matches '\(pattern)'", context: [.file(path)])
    }
    return found.sorted()
  }

  private func functionNames() throws(EBPFError) -> Set<String> {
    var names: Set<String> = []
    for table in [try elf.symbolTable, try elf.dynamicSymbolTable] {
      guard let table else { continue }
      try table.forEachSymbol { (symbol) throws(EBPFError) in
        guard symbol.isFunction, !symbol.isUndefined, names.count < 200_000 else { return }
        names.insert(try table.name(of: symbol))
      }
    }
    return names
  }

  /// Go moves stacks, and a return probe's address on the stack with them: the program would crash.
  func refuseGoReturn() throws(EBPFError) {
    let isGo = elf.sections.contains { $0.name == ".go.buildinfo" || $0.name == ".gopclntab" }
    guard !isGo else {
      throw EBPFError(
        .unsupported, "a return probe would crash this Go program, which moves its stacks",
        context: [.file(path)],
        hint: "put uprobes at the function's RET instructions instead, by file offset")
    }
  }
}
