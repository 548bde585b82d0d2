import Profiles

/// Makes profiles for tests from lists of names, outermost first.
struct ProfileSketch {
  var profile: Profile
  private var frames: [Profile.Frame: Int] = [:]
  private var stacks: [[Int]: Int] = [:]
  private var processes: [Profile.Process: Int] = [:]
  private var mappings: [String: Int] = [:]

  init() {
    profile = Profile(
      valueTypes: [.init("samples", unit: "count"), .init("cpu", unit: "nanoseconds")],
      periodType: .init("cpu", unit: "nanoseconds"), period: 10_101_010,
      startTime: 1_700_000_000_000_000_000, duration: 10_000_000_000)
  }

  /// A frame; equal arguments are the same frame.
  mutating func frame(
    _ name: String?, kind: Profile.Frame.Kind = .native, module: String? = "/usr/bin/app",
    address: UInt64 = 0, file: String? = nil, line: Int = 0
  ) -> Int {
    let mapping = module.map { path in
      mappings[path]
        ?? {
          let start = 0x40_0000 + UInt64(profile.mappings.count) * 0x100_0000
          profile.mappings.append(
            .init(
              start: start, end: start + 0x80_0000, fileOffset: 0x1000, path: path,
              buildID: "ab12"))
          mappings[path] = profile.mappings.count - 1
          return profile.mappings.count - 1
        }()
    }
    let frame = Profile.Frame(
      kind: kind, address: address, mapping: mapping, name: name, sourceFile: file, line: line)
    if let known = frames[frame] { return known }
    profile.frames.append(frame)
    frames[frame] = profile.frames.count - 1
    return profile.frames.count - 1
  }

  /// A sample whose stack is `path`, outermost first.
  mutating func add(
    _ path: [Int], count: Int64 = 1, command: String = "app", pid: Int32 = 42, tid: Int32? = nil
  ) {
    let stack = Array(path.reversed())
    let process = Profile.Process(pid: pid, tid: tid ?? pid, command: command)
    if stacks[stack] == nil {
      stacks[stack] = profile.stacks.count
      profile.stacks.append(stack)
    }
    if processes[process] == nil {
      processes[process] = profile.processes.count
      profile.processes.append(process)
    }
    profile.samples.append(
      .init(
        process: processes[process] ?? 0, stack: stacks[stack] ?? 0,
        values: [count, count * profile.period]))
  }

  /// A sample whose stack is made of native functions with these names, outermost first.
  mutating func add(names: [String], count: Int64 = 1, command: String = "app", pid: Int32 = 42) {
    add(names.map { frame($0) }, count: count, command: command, pid: pid)
  }
}

/// Random numbers that are the same every time.
struct FixedRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
