internal import CBPFObjects
public import EBPF
public import EBPFSystem

/// What recording every allocation costs on this machine, measured: the tracer's own programs at two
/// functions of this process.
public struct AllocationCost: Sendable, Hashable {
  /// How much longer an allocation and its free take together, in nanoseconds.
  public var nanosecondsPerPair: UInt64
  /// How many pairs were measured.
  public var pairs: Int

  /// Loads the programs that a tracer of this configuration has, probes, measures some thousand calls and
  /// takes everything away again; takes a few hundred milliseconds.
  public static func measure(
    _ configuration: MemoryTracerConfiguration = MemoryTracerConfiguration(),
    kernel: any KernelInterface = LiveKernel()
  ) throws(EBPFError) -> AllocationCost {
    var configuration = configuration
    configuration.allocations = .exact
    let process = CurrentProcess.id
    let release: String
    do throws(Errno) { release = try MachineNames.current().release } catch {
      throw EBPFError(
        .system, "uname failed",
        systemCall: .init(call: "uname", errno: error.rawValue, name: error.name))
    }
    let mechanism = AllocatorProbes.mechanism(
      processes: [process], isSampling: false, release: release, kernel: kernel)
    let stacks = MemoryStacks(configuration, kernel: kernel)
    var object = try stacks.object()
    let programs = ["memory_malloc", "memory_allocated", "memory_free"]
    for index in object.programs.indices where programs.contains(object.programs[index].name) {
      object.programs[index].attachType = mechanism.attachType
    }
    var options = LoadOptions()
    options.programs = Set(programs)
    options.maxEntries = ["live": 1024, "sites": 1024, "processes": 16]
    if stacks.walks { options.maxEntries["unwind_rows"] = configuration.unwindRows }
    let loaded = try LoadedObject(object, options: options, kernel: kernel)
    defer { loaded.unload() }
    let unwinding =
      stacks.walks ? try UnwindBuilder(loaded, symbolizer: TracerSharing.symbolizer(nil)) : nil
    try unwinding?.prepare([process])
    var control = MemoryControl(configuration)
    control.paused = MemoryControl.Recording.on
    try Map<UInt32, MemoryControl>(try loaded.map("control")).update(0, control)
    var filter = TracerFilter()
    filter.processes = [process]
    let maps = try ProcessFilterMaps(loaded)
    filter = try ProcessNumbers().outer(filter)
    try maps.add(filter)
    try maps.switchOver(to: filter, excluding: 0)

    let pairs = 3000
    let bare = time(pairs)
    let allocate = try place(cbpf_calibration_allocate_address())
    let free = try place(cbpf_calibration_free_address())
    let links = Links()
    for (program, place, atReturn) in [
      ("memory_allocated", allocate, true), ("memory_malloc", allocate, false),
      ("memory_free", free, false),
    ] {
      try links.attach(
        try loaded.program(program),
        to: atReturn
          ? .uretprobe(.path(place.path), fileOffset: place.offset, process: process)
          : .uprobe(.path(place.path), fileOffset: place.offset, process: process), as: program)
    }
    let probed = time(pairs)
    links.detachAll()
    return AllocationCost(
      nanosecondsPerPair: (probed - min(bare, probed)) / UInt64(pairs), pairs: pairs)
  }

  /// Processor time of some pairs of calls, the first of them not counted.
  private static func time(_ pairs: Int) -> UInt64 {
    cbpf_calibration_run(UInt(pairs / 10))
    let start = Clock.threadCPU.now
    cbpf_calibration_run(UInt(pairs))
    return Clock.threadCPU.now - start
  }

  /// Where an address of this process is in a file.
  private static func place(_ address: UInt) throws(EBPFError) -> (path: String, offset: UInt64) {
    let file = "/proc/self/maps"
    let text: [UInt8]
    do throws(Errno) { text = try SystemFile.read(file) } catch {
      throw EBPFError(
        .system, "the process's own mappings cannot be read", context: [.file(file)],
        systemCall: .init(call: "open", errno: error.rawValue, name: error.name))
    }
    let maps = try EBPFError.at(.file(file)) { () throws(EBPFError) in
      try ProcessMaps(parsing: text)
    }
    guard let mapping = maps.mapping(containing: UInt64(address)),
      let offset = mapping.fileOffset(of: UInt64(address)), mapping.kind == .file
    else {
      throw EBPFError(.unsupported, "this process's own code is in no file")
    }
    return (mapping.path, offset)
  }
}
