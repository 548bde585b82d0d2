internal import EBPF
internal import EBPFSystem
internal import Synchronization

/// The probes of one tracer in the files of allocators; files may be added while it runs.
final class AllocatorProbes: Sendable {
  /// How the probes are placed.
  struct Mechanism: Sendable {
    /// The attach type that the programs are loaded with.
    var attachType: AttachType
    /// Whether one link takes many places.
    var isMulti: Bool { attachType == .traceUprobeMulti }
    /// A better way that cannot be used, and why.
    var refusal: TracerHook.Refusal?
    /// Whether malloc's entry and return are one probe, whose second half is left out for calls that
    /// are not recorded.
    var hasSessions = false
  }

  /// Names of the programs, in the order of their places.
  static let programs: Set<String> = [
    "memory_malloc", "memory_calloc", "memory_realloc", "memory_reallocarray",
    "memory_posix_memalign", "memory_memalign", "memory_aligned_alloc", "memory_pages",
    "memory_allocated", "memory_free",
  ]
  private static let returning = "memory_allocated"
  /// In place of the entry and the return of malloc.
  static let session = "memory_malloc_session"
  private static let sessionReplaces = "memory_malloc"

  private let object: LoadedObject
  private let locator: AllocatorLocator
  /// The processes whose copies of the code are probed; empty for everybody's.
  private let processes: [Int32]
  private let mechanism: Mechanism
  private let usesStaticProbes: Bool
  private let links = Links()
  private let state = Mutex(State())

  private struct State {
    var identities: Set<AllocatorFile.Identity> = []
    var names: [String] = []
    var places = 0
    var cheap = 0
    /// Set when detaching began: nothing is added any more.
    var isClosed = false
  }

  init(
    _ object: LoadedObject, locator: AllocatorLocator, processes: [Int32], mechanism: Mechanism,
    usesStaticProbes: Bool
  ) {
    self.usesStaticProbes = usesStaticProbes
    self.object = object
    self.locator = locator
    self.processes = processes
    self.mechanism = mechanism
  }

  /// The best mechanism of this kernel for probing some processes, or all.
  ///
  /// - Parameter isSampling: most calls will not be recorded.
  static func mechanism(
    processes: [Int32], isSampling: Bool, release: String, kernel: any KernelInterface
  ) -> Mechanism {
    let multi = "uprobe.multi"
    let features = KernelFeatures(kernel: kernel)
    let answer = features.userProbesMulti
    guard answer.verdict == .yes else {
      return Mechanism(
        attachType: AttachType(rawValue: 0),
        refusal: TracerHook.Refusal(hook: multi, why: answer.reason))
    }
    if !processes.isEmpty {
      // Commit 46ba0e49b642 ("bpf: fix multi-uprobe PID filtering logic"), in 6.10 and later.
      do throws(EBPFError) {
        guard try KernelVersion(release: release) >= KernelVersion(6, 10) else {
          return Mechanism(
            attachType: AttachType(rawValue: 0),
            refusal: TracerHook.Refusal(
              hook: multi, why: "before Linux 6.10 it sees one thread of a process only"))
        }
      } catch {
        return Mechanism(
          attachType: AttachType(rawValue: 0),
          refusal: TracerHook.Refusal(hook: multi, why: error.message))
      }
    }
    return Mechanism(
      attachType: .traceUprobeMulti,
      hasSessions: isSampling && features.userProbeSessions.verdict == .yes)
  }

  /// Probes the allocators that will be used; finding none is an error.
  func attach(_ files: [AllocatorFile], subject: String) throws(EBPFError) {
    guard !files.isEmpty else {
      throw EBPFError(
        .notFound, "no allocator was found in \(subject)",
        hint: "a stripped static executable hides it; name a file with malloc and free by "
          + "--object, and what their names begin with by --prefix")
    }
    for file in AllocatorLocator.distinct(files) { try attach(file) }
  }

  /// Probes static probes that tell of allocations.
  func attach(_ files: [StaticProbeFile]) throws(EBPFError) {
    for file in files {
      let isNew = state.withLock { !$0.isClosed && $0.identities.insert(file.identity).inserted }
      guard isNew else { continue }
      do throws(EBPFError) {
        for (probe, program) in StaticProbeFile.probes {
          for process in processes.isEmpty ? [nil] : processes.map(Optional.some) {
            try links.attach(
              try object.program(program),
              to: .usdt(
                .path(file.path), provider: StaticProbeFile.provider, name: probe, process: process),
              as: "\(program) \(file.identity.device):\(file.identity.inode) \(process ?? 0)")
          }
        }
      } catch { throw error.within(.file(file.name)) }
      state.withLock { $0.names.append(file.name) }
    }
  }

  /// Probes the allocators of a program that a recorded process has just begun to execute. Those that
  /// are probed already cost nothing.
  func follow(_ process: Int32) throws(EBPFError) {
    guard processes.isEmpty, locator.allocator.objects.isEmpty else { return }
    let (program, root) = ("/proc/\(process)/exe", "/proc/\(process)/root")
    guard !usesStaticProbes else {
      let files = try locator.staticProbes(ofProgram: program, root: root)
      guard !files.isEmpty else {
        throw EBPFError(
          .notFound, "it has no \(StaticProbeFile.description), so its allocations are not seen",
          context: [.process(process)])
      }
      return try attach(files)
    }
    for file in try locator.files(ofProgram: program, root: root) { try attach(file) }
  }

  private func attach(_ file: AllocatorFile) throws(EBPFError) {
    let isNew = state.withLock { !$0.isClosed && $0.identities.insert(file.identity).inserted }
    guard isNew else { return }
    do throws(EBPFError) {
      // What ends something before what begins it: a call whose entry is seen must have its return
      // seen, and a block that is seen its free.
      let blocks = file.places.filter(\.returnsBlock)
      try attach(
        file, file.places.filter { !$0.returnsBlock }.map { ($0.program, $0.entry + $0.step) })
      try attach(
        file, blocks.filter { !isSession($0) }.map { (Self.returning, $0.entry) }, atReturn: true)
      try attach(file, blocks.map { (isSession($0) ? Self.session : $0.program, $0.entry) })
    } catch { throw error.within(.file(file.name)) }
    state.withLock {
      $0.names.append(file.name)
      $0.places += file.places.count
      $0.cheap += file.places.count { $0.step != 0 }
    }
  }

  private func isSession(_ place: AllocatorFile.Place) -> Bool {
    mechanism.hasSessions && place.program == Self.sessionReplaces
  }

  /// Probes places of a file, those of one program through one link where the kernel can: taking a
  /// link away takes some ten milliseconds.
  private func attach(
    _ file: AllocatorFile, _ places: [(program: String, offset: UInt64)], atReturn: Bool = false
  ) throws(EBPFError) {
    let offsets = Dictionary(grouping: places, by: \.program).mapValues { $0.map(\.offset) }
    let binary = UserProbe.Binary.path(file.path)
    for (program, offsets) in offsets.sorted(by: { $0.key < $1.key }) {
      for process in processes.isEmpty ? [nil] : processes.map(Optional.some) {
        let name =
          "\(program) \(file.identity.device):\(file.identity.inode) \(process ?? 0)"
        let program = try object.program(program)
        if mechanism.isMulti {
          try links.attach(
            program,
            to: .uprobeMulti(binary, fileOffsets: offsets, process: process, atReturn: atReturn),
            as: name)
          continue
        }
        for offset in offsets {
          try links.attach(
            program,
            to: atReturn
              ? .uretprobe(binary, fileOffset: offset, process: process)
              : .uprobe(binary, fileOffset: offset, process: process), as: "\(name)+\(offset)")
        }
      }
    }
  }

  /// Detaches everything, and lets nothing be added any more.
  func detach() {
    state.withLock { $0.isClosed = true }
    links.detachAll()
  }

  /// How allocations are observed.
  var hook: TracerHook {
    let (names, places, cheap) = state.withLock { ($0.names, $0.places, $0.cheap) }
    if usesStaticProbes {
      return TracerHook(
        need: "allocations",
        used: "\(StaticProbeFile.description) of \(names.joined(separator: ", "))")
    }
    let way = mechanism.isMulti ? "uprobe.multi" : "uprobe"
    var used = "\(way) at \(places) functions of \(names.joined(separator: ", "))"
    if mechanism.hasSessions { used += ", malloc by uprobe.session" }
    if cheap > 0 { used += ", \(cheap) of them past the first instruction, where it is cheap" }
    return TracerHook(
      need: "allocations", used: used, refused: mechanism.refusal.map { [$0] } ?? [])
  }
}
