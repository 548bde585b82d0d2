import EBPFObject
import EBPFSystem

/// What a ``Symbolizer`` remembers; used by one thread at a time.
struct SymbolizerState: Sendable {
  let options: Symbolizer.Options
  var programs: ProgramTable
  var files: ModuleFileCache
  var kernel = KernelNames()
  var statistics = SymbolizerStatistics()
  private var names: DisplayNames
  private var vdso: Result<ModuleFile, ModuleFileCache.Unopened>?

  init(_ options: Symbolizer.Options, number: Symbolizer.ProcessNumber?) {
    self.options = options
    programs = ProgramTable(limit: options.processLimit, number: number)
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

  /// Whose code an address is.
  private struct Subject: Hashable {
    var pid: Int32
    var program: Symbolizer.Program?
  }

  private struct Key: Hashable {
    /// An index of the call's subjects; 0 for the kernel.
    var subject: Int
    var address: UInt64
    var isLeaf: Bool
  }

  // MARK: - Processes

  mutating func snapshot(_ pid: Int32) throws(EBPFError) {
    try programs.snapshot(pid, &files)
    files.trim()
  }

  mutating func program(of pid: Int32) -> Symbolizer.Program? {
    guard case .success(let key) = programs.find(nil, in: pid, &files),
      let status = programs[key]?.status
    else { return nil }
    let (start, overflow) = status.startTime.multipliedReportingOverflow(
      by: ProcessStatus.nanosecondsPerTick)
    return overflow ? nil : Symbolizer.Program(start: start, image: status.image)
  }

  /// The executable mappings of a program that files, or the kernel's own image, are behind.
  mutating func code(of program: Symbolizer.Program, in pid: Int32) -> [CodeMapping] {
    guard case .success(let key) = programs.find(program, in: pid, &files) else { return [] }
    programs[key]?.refresh(&files)
    guard let process = programs[key] else { return [] }
    return zip(process.maps.mappings, process.files).compactMap { mapping, file in
      guard mapping.access.contains(.execute) else { return nil }
      if case .success(let file)? = file { return CodeMapping(mapping, file) }
      guard mapping.kind == .vdso, case .success(let image) = theVDSO() else { return nil }
      return CodeMapping(mapping, image)
    }
  }

  // MARK: - User stacks

  mutating func symbolize(_ stacks: [Symbolizer.UserStack]) -> [[SymbolizedFrame]] {
    var indices: [Subject: Int] = [:]
    var subjects: [Result<ProgramTable.Key, UnresolvedProgram>] = []
    let subjectOfStack = stacks.map { stack in
      let subject = Subject(pid: stack.pid, program: stack.program)
      if let known = indices[subject] { return known }
      indices[subject] = subjects.count
      subjects.append(programs.find(subject.program, in: subject.pid, &files))
      return subjects.count - 1
    }

    var refreshed: Set<Int> = []
    var places: [Key: Place] = [:]
    var wanted: [ObjectIdentifier: (file: ModuleFile, addresses: Set<UInt64>)] = [:]
    for (stack, subject) in zip(stacks, subjectOfStack) {
      for (index, address) in stack.addresses.enumerated() {
        let key = Key(subject: subject, address: address, isLeaf: index == 0)
        guard places[key] == nil else { continue }
        let place =
          switch subjects[subject] {
          case .failure(let failure): Place.unresolved(failure.reason, nil)
          case .success(let program): self.place(of: key, in: program, &refreshed)
          }
        places[key] = place
        if case .file(let file, let address, _, _) = place {
          wanted[ObjectIdentifier(file), default: (file, [])].addresses.insert(address)
        }
      }
    }
    for (file, addresses) in wanted.values {
      file.resolve(addresses, debugFiles: options.debugFiles)
    }

    var frames: [Key: [SymbolizedFrame]] = [:]
    frames.reserveCapacity(places.count)
    for (key, place) in places {
      let frame = frame(key, place)
      statistics.count(frame)
      frames[key] = inlined(in: frame, place) + [frame]
    }
    files.trim()
    return zip(stacks, subjectOfStack).map { stack, subject in
      stack.addresses.enumerated().flatMap { index, address in
        frames[Key(subject: subject, address: address, isLeaf: index == 0)] ?? []
      }
    }
  }

  private mutating func place(
    of key: Key, in program: ProgramTable.Key, _ refreshed: inout Set<Int>
  ) -> Place {
    let address = key.isLeaf || key.address == 0 ? key.address : key.address - 1
    guard var process = programs[program] else { return .unresolved(.processGone, nil) }
    defer { programs[program] = process }
    var index = process.maps.index(containing: address)
    if index == nil, refreshed.insert(key.subject).inserted {
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
    guard case .success(let file) = theVDSO() else { return .unresolved(.noSymbols, mapping) }
    return inFile(file, address, mapping)
  }

  private mutating func theVDSO() -> Result<ModuleFile, ModuleFileCache.Unopened> {
    let image = vdso ?? openVDSO()
    vdso = image
    return image
  }

  private func openVDSO() -> Result<ModuleFile, ModuleFileCache.Unopened> {
    do {
      let maps = try ProcessMaps(parsing: try SystemFile.read("/proc/self/maps", limit: 64 << 20))
      guard let own = maps.mappings.first(where: { $0.kind == .vdso }) else {
        return .failure(.init(reason: .noSymbols))
      }
      let bytes = try ProcessFile.ownMemory(
        at: own.start, count: Int(clamping: own.end - own.start))
      return .success(ModuleFile(Bytes(bytes), identity: .notAFile, path: "[vdso]"))
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
      frame.module = mapping.map { module($0) }
      if reason == .noPerfMap { frame.kind = .jit }
    case .jit(let name, let start, let mapping):
      frame.kind = .jit
      frame.module = module(mapping)
      frame.functionAddress = start
      names.name(&frame, name)
    case .file(let file, let address, let bias, let mapping):
      frame.module = module(mapping, of: file)
      switch file.answer(address) {
      case .unresolved(let reason): frame.unresolved = reason
      case .function(let function, let place):
        frame.functionAddress = function.address &+ bias
        frame.set(place.source)
        frame.isPartial = place.isPartial
        names.name(&frame, function.name)
      }
    }
    return frame
  }

  /// The functions that were inlined into a frame's, the innermost first.
  private mutating func inlined(
    in frame: SymbolizedFrame, _ place: Place
  ) -> [SymbolizedFrame] {
    guard case .file(let file, let address, _, _) = place,
      case .function(_, let place) = file.answer(address)
    else { return [] }
    return place.inlined.map { function in
      var inner = frame
      inner.isInlined = true
      inner.systemName = nil
      inner.set(function.source)
      names.name(&inner, function.name)
      return inner
    }
  }

  private func module(
    _ mapping: ProcessMapping, of file: ModuleFile? = nil
  ) -> SymbolizedFrame.Module {
    var module = SymbolizedFrame.Module(
      start: mapping.start, end: mapping.end, fileOffset: mapping.fileOffset,
      path: mapping.path.isEmpty ? "[anon]" : mapping.path, buildID: file?.buildID ?? "")
    module.goBuildID = file?.goBuildID ?? ""
    module.fileHash = file?.hash ?? ""
    return module
  }

  // MARK: - Kernel stacks

  mutating func symbolizeKernel(_ stacks: [[UInt64]]) -> [[SymbolizedFrame]] {
    var frames: [Key: SymbolizedFrame] = [:]
    kernel.beginCall()
    return stacks.map { stack in
      stack.enumerated().map { index, address in
        let key = Key(subject: 0, address: address, isLeaf: index == 0)
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
