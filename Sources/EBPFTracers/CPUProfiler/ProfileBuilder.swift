internal import Profiles
internal import Symbolization

/// Fills a profile, storing equal mappings, frames, stacks and processes once.
struct ProfileBuilder {
  /// Which halves of a stack are not whole.
  struct Markers {
    var userIsCut = false
    var userIsBroken = false
    var kernelIsCut = false
    /// What stands below the leaf, and above the root: not an address.
    var leaf: String?
    var root: String?
  }

  private(set) var profile: Profile
  /// Samples whose user stack does not reach its root: code without frame pointers, and no rows that
  /// tell how to go on.
  private(set) var brokenStacks: Int64 = 0
  /// Distinct frames without a name, by reason.
  private(set) var unresolved: [UnresolvedReason: Int] = [:]
  /// Distinct frames whose inlined functions or lines may be missing, since debug information could not
  /// be read.
  private(set) var partial = 0

  private var mappings: [Profile.Mapping: Int] = [:]
  private var frames: [Profile.Frame: Int] = [:]
  private var stacks: [[Int]: Int] = [:]
  private var processes: [Profile.Process: Int] = [:]
  private var resources: [[Profile.Attribute]: Int] = [:]
  private var spans: [Profile.Span: Int] = [:]
  private var samples: [[Int]: Int] = [:]

  init(profile: Profile) { self.profile = profile }

  /// What stands above a stack's leaf, upside down: the stack of a thread that had to do with it.
  struct Other {
    var separator: String
    var label: String
    var kernel: [SymbolizedFrame]
    var user: [SymbolizedFrame]
    var markers: Markers
  }

  /// Adds one sample: the kernel's frames, which are nearer to the leaf, then the user's. Returns the
  /// indices of its process and its stack in the profile.
  @discardableResult
  mutating func add(
    process: Profile.Process, kernel: [SymbolizedFrame], user: [SymbolizedFrame],
    markers: Markers, above other: Other? = nil, span: Int? = nil, values: [Int64]
  ) -> (process: Int, stack: Int) {
    var (stack, isBroken) = indices(kernel: kernel, user: user, markers: markers)
    if isBroken { brokenStacks += values[0] }
    if stack.isEmpty { stack.append(index(ofMarker: "[no stack]")) }
    if let other {
      let above = indices(kernel: other.kernel, user: other.user, markers: other.markers).stack
      stack =
        [index(ofMarker: other.label)] + above.reversed() + [index(ofMarker: other.separator)]
        + stack
    }
    let place = [
      ProfileBuilder.intern(process, &processes, &profile.processes),
      ProfileBuilder.intern(stack, &stacks, &profile.stacks), span ?? -1,
    ]
    if let known = samples[place] {
      for index in values.indices { profile.samples[known].values[index] += values[index] }
    } else {
      samples[place] = profile.samples.count
      profile.samples.append(
        Profile.Sample(process: place[0], stack: place[1], values: values, span: span))
    }
    return (place[0], place[1])
  }

  /// Where a process's description of itself is.
  mutating func index(ofResource attributes: [Profile.Attribute]) -> Int {
    ProfileBuilder.intern(attributes, &resources, &profile.resources)
  }

  /// Where a span is.
  mutating func index(of span: SpanLink) -> Int {
    ProfileBuilder.intern(
      Profile.Span(traceHigh: span.traceHigh, traceLow: span.traceLow, spanID: span.spanID),
      &spans, &profile.spans)
  }

  /// The frames of a stack, leaf first, and whether it does not reach its root.
  private mutating func indices(
    kernel: [SymbolizedFrame], user: [SymbolizedFrame], markers: Markers
  ) -> (stack: [Int], isBroken: Bool) {
    var stack: [Int] = []
    stack.reserveCapacity(kernel.count + user.count + 2)
    if let leaf = markers.leaf { stack.append(index(ofMarker: leaf)) }
    for frame in kernel { stack.append(index(of: frame)) }
    if markers.kernelIsCut { stack.append(index(ofMarker: "[truncated kernel stack]")) }
    // Where frame pointers are followed and code keeps something else in that register, the next
    // "return address" lies outside all code, and so does everything after it.
    let end = user.dropFirst().firstIndex { $0.unresolved == .noMapping }
    for frame in user[..<(end ?? user.endIndex)] { stack.append(index(of: frame)) }
    let isBroken = end != nil || markers.userIsBroken
    if isBroken {
      stack.append(index(ofMarker: "[broken stack]"))
    } else if markers.userIsCut {
      stack.append(index(ofMarker: "[truncated]"))
    }
    if let root = markers.root { stack.append(index(ofMarker: root)) }
    return (stack, isBroken)
  }

  private mutating func index(of frame: SymbolizedFrame) -> Int {
    let mapping = frame.module.map { module in
      var mapping = Profile.Mapping(
        start: module.start, end: module.end, fileOffset: module.fileOffset, path: module.path,
        buildID: module.buildID)
      mapping.goBuildID = module.goBuildID
      mapping.fileHash = module.fileHash
      return ProfileBuilder.intern(mapping, &mappings, &profile.mappings)
    }
    let kind: Profile.Frame.Kind =
      switch frame.kind {
      case .kernel: .kernel
      case .native: .native
      case .jit: .jit
      }
    let value = Profile.Frame(
      kind: kind, address: frame.address, mapping: mapping, name: frame.function,
      systemName: frame.systemName, sourceFile: frame.sourceFile, line: frame.line,
      isInlined: frame.isInlined)
    let before = profile.frames.count
    let index = ProfileBuilder.intern(value, &frames, &profile.frames)
    if index == before, let reason = frame.unresolved { unresolved[reason, default: 0] += 1 }
    if index == before, frame.isPartial { partial += 1 }
    return index
  }

  private mutating func index(ofMarker name: String) -> Int {
    ProfileBuilder.intern(
      Profile.Frame(kind: .marker, address: 0, name: name), &frames, &profile.frames)
  }

  private static func intern<Value: Hashable>(
    _ value: Value, _ known: inout [Value: Int], _ all: inout [Value]
  ) -> Int {
    if let index = known[value] { return index }
    known[value] = all.count
    all.append(value)
    return all.count - 1
  }

  /// How many distinct frames have names, and why others have none.
  var summary: String {
    let total = profile.frames.count { $0.kind != .marker }
    let missing = unresolved.values.reduce(0, +)
    var text = "\(total - missing) of \(total) frames have names"
    let reasons = unresolved.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
    if !reasons.isEmpty {
      text += "; " + reasons.map { "\($0.value) \($0.key.explanation)" }.joined(separator: ", ")
    }
    if partial > 0 {
      text +=
        "; \(partial) may lack lines or inlined functions: debug information could not be read"
    }
    if brokenStacks > 0 {
      text += "; \(brokenStacks) samples do not reach the root of their stack"
    }
    return text
  }
}

extension UnresolvedReason {
  /// Why, in the words of a person.
  fileprivate var explanation: String {
    switch self {
    case .processGone: "of processes that had ended"
    case .notInNamespace: "of processes outside this pid namespace, or that had ended"
    case .programReplaced: "of programs that exec had replaced"
    case .denied: "of processes that may not be looked into (CAP_SYS_PTRACE)"
    case .noMapping: "outside every mapping"
    case .noPerfMap: "made at run time, without a perf map file"
    case .fileGone: "in files that are gone"
    case .malformedFile: "in files that are not ELF"
    case .noSymbols: "in stripped files"
    case .outsideFunctions: "outside every function"
    case .kernelHidden: "of the kernel, which hides its addresses (CAP_SYSLOG)"
    case .kernelUnreadable: "of the kernel, without /proc/kallsyms"
    }
  }
}
