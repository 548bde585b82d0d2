import EBPFObject
import EBPFSystem

/// What a ``Symbolizer`` remembers; used by one thread at a time.
struct SymbolizerState: Sendable {
  let options: Symbolizer.Options
  var processes: [Int32: ProcessSnapshot] = [:]
  var files: ModuleFileCache
  var kernel = KernelNames()
  var statistics = SymbolizerStatistics()
  private var names: DisplayNames
  private var vdso: Result<ModuleFile, ModuleFileCache.Unopened>?
  private var calls: UInt64 = 0

  init(_ options: Symbolizer.Options) {
    self.options = options
    files = ModuleFileCache(budget: options.fileBudget)
    names = DisplayNames(options.demangler)
  }

  /// Where an address of a process is.
  private enum Place {
    /// At an address of a file, before its load bias of `bias`.
    case file(ModuleFile, UInt64, bias: UInt64, ProcessMapping)
    case jit(name: String, start: UInt64, ProcessMapping)
    case unresolved(UnresolvedReason, ProcessMapping?)
  }

  private struct Key: Hashable {
    var pid: Int32
    var address: UInt64
    var isLeaf: Bool
  }

  // MARK: - Processes

  mutating func snapshot(_ pid: Int32) throws(EBPFError) {
    if processes[pid]?.isCurrent() == true {
      processes[pid]?.lastUse = calls
      return
    }
    processes[pid] = nil
    var snapshot = try ProcessSnapshot(pid: pid, cache: &files)
    snapshot.lastUse = calls
    processes[pid] = snapshot
    if processes.count > options.processLimit { forgetOldest() }
    files.trim()
  }

  private mutating func forgetOldest() {
    let excess = processes.count - options.processLimit * 7 / 8
    for entry in processes.sorted(by: { $0.value.lastUse < $1.value.lastUse }).prefix(excess) {
      processes[entry.key] = nil
    }
  }

  /// The reason a process cannot be read; nil when it can.
  private mutating func prepare(_ pid: Int32) -> UnresolvedReason? {
    do throws(EBPFError) {
      try snapshot(pid)
      return nil
    } catch {
      return error.code == .denied ? .denied : .processGone
    }
  }

  // MARK: - User stacks

  mutating func symbolize(_ stacks: [Symbolizer.UserStack]) -> [[SymbolizedFrame]] {
    calls += 1
    var failures: [Int32: UnresolvedReason] = [:]
    var refreshed: Set<Int32> = []
    for pid in Set(stacks.map(\.pid)) { failures[pid] = prepare(pid) }

    var places: [Key: Place] = [:]
    var wanted: [ObjectIdentifier: (file: ModuleFile, addresses: Set<UInt64>)] = [:]
    forEachKey(stacks) { key in
      guard places[key] == nil else { return }
      let place =
        failures[key.pid].map { Place.unresolved($0, nil) } ?? place(of: key, &refreshed)
      places[key] = place
      if case .file(let file, let address, _, _) = place {
        wanted[ObjectIdentifier(file), default: (file, [])].addresses.insert(address)
      }
    }
    for (file, addresses) in wanted.values {
      file.resolve(addresses, debugFiles: options.debugFiles)
    }

    var frames: [Key: SymbolizedFrame] = [:]
    frames.reserveCapacity(places.count)
    for (key, place) in places {
      let frame = frame(key, place)
      statistics.count(frame)
      frames[key] = frame
    }
    files.trim()
    return stacks.map { stack in
      stack.addresses.enumerated().compactMap { index, address in
        frames[Key(pid: stack.pid, address: address, isLeaf: index == 0)]
      }
    }
  }

  private func forEachKey(_ stacks: [Symbolizer.UserStack], _ body: (Key) -> Void) {
    for stack in stacks {
      for (index, address) in stack.addresses.enumerated() {
        body(Key(pid: stack.pid, address: address, isLeaf: index == 0))
      }
    }
  }

  private mutating func place(of key: Key, _ refreshed: inout Set<Int32>) -> Place {
    let address = key.isLeaf || key.address == 0 ? key.address : key.address - 1
    guard var process = processes[key.pid] else { return .unresolved(.processGone, nil) }
    defer { processes[key.pid] = process }
    var index = process.maps.index(containing: address)
    if index == nil, refreshed.insert(key.pid).inserted {
      process.refresh(&files)
      index = process.maps.index(containing: address)
    }
    guard let index else { return .unresolved(.noMapping, nil) }
    let mapping = process.maps.mappings[index]
    switch mapping.kind {
    case .anonymous, .memory:
      return jit(&process, address, mapping) ?? .unresolved(.noPerfMap, mapping)
    case .vdso:
      return inVDSO(address, mapping)
    case .vsyscall, .special:
      return .unresolved(.noSymbols, mapping)
    case .file:
      switch process.files[index] {
      case .success(let file)?:
        guard !file.isReadable else { return inFile(file, address, mapping) }
        return jit(&process, address, mapping) ?? .unresolved(.malformedFile, mapping)
      case .failure(let unopened)?:
        return jit(&process, address, mapping) ?? .unresolved(unopened.reason, mapping)
      case nil: return .unresolved(.fileGone, mapping)
      }
    }
  }

  private func jit(
    _ process: inout ProcessSnapshot, _ address: UInt64, _ mapping: ProcessMapping
  ) -> Place? {
    process.jitFunction(at: address).map { .jit(name: $0.name, start: $0.address, mapping) }
  }

  private func inFile(_ file: ModuleFile, _ address: UInt64, _ mapping: ProcessMapping) -> Place {
    guard let offset = mapping.fileOffset(of: address),
      let inFile = file.address(ofFileOffset: offset)
    else { return .unresolved(.outsideFunctions, mapping) }
    return .file(file, inFile, bias: address &- inFile, mapping)
  }

  /// The kernel maps the same image into every process of our word size: ours is looked at.
  private mutating func inVDSO(_ address: UInt64, _ mapping: ProcessMapping) -> Place {
    guard mapping.start > UInt64(UInt32.max) else { return .unresolved(.noSymbols, mapping) }
    let image = vdso ?? openVDSO()
    vdso = image
    guard case .success(let file) = image else { return .unresolved(.noSymbols, mapping) }
    return inFile(file, address, mapping)
  }

  private func openVDSO() -> Result<ModuleFile, ModuleFileCache.Unopened> {
    do {
      let maps = try ProcessMaps(parsing: try SystemFile.read("/proc/self/maps", limit: 64 << 20))
      guard let own = maps.mappings.first(where: { $0.kind == .vdso }) else {
        return .failure(.init(reason: .noSymbols))
      }
      let bytes = try ProcessFile.ownMemory(
        at: own.start, count: Int(clamping: own.end - own.start))
      return .success(ModuleFile(Bytes(bytes), path: "[vdso]"))
    } catch {
      return .failure(.init(reason: .malformedFile))
    }
  }

  // MARK: - Frames

  private mutating func frame(_ key: Key, _ place: Place) -> SymbolizedFrame {
    var frame = SymbolizedFrame(.native, key.address)
    switch place {
    case .unresolved(let reason, let mapping):
      frame.unresolved = reason
      frame.module = mapping.map { module($0, buildID: "") }
      if reason == .noPerfMap { frame.kind = .jit }
    case .jit(let name, let start, let mapping):
      frame.kind = .jit
      frame.module = module(mapping, buildID: "")
      frame.functionAddress = start
      names.name(&frame, name)
    case .file(let file, let address, let bias, let mapping):
      frame.module = module(mapping, buildID: file.buildID)
      switch file.answer(address) {
      case .unresolved(let reason): frame.unresolved = reason
      case .function(let function):
        frame.functionAddress = function.address &+ bias
        names.name(&frame, function.name)
      }
    }
    return frame
  }

  private func module(_ mapping: ProcessMapping, buildID: String) -> SymbolizedFrame.Module {
    SymbolizedFrame.Module(
      start: mapping.start, end: mapping.end, fileOffset: mapping.fileOffset,
      path: mapping.path.isEmpty ? "[anon]" : mapping.path, buildID: buildID)
  }

  // MARK: - Kernel stacks

  mutating func symbolizeKernel(_ stacks: [[UInt64]]) -> [[SymbolizedFrame]] {
    var frames: [Key: SymbolizedFrame] = [:]
    kernel.beginCall()
    return stacks.map { stack in
      stack.enumerated().map { index, address in
        let key = Key(pid: 0, address: address, isLeaf: index == 0)
        if let known = frames[key] { return known }
        let frame = kernel.frame(address, isLeaf: index == 0)
        statistics.count(frame)
        frames[key] = frame
        return frame
      }
    }
  }
}

extension SymbolizerStatistics {
  fileprivate mutating func count(_ frame: SymbolizedFrame) {
    if let reason = frame.unresolved {
      unresolved[reason, default: 0] += 1
    } else {
      resolved += 1
    }
  }
}
