import EBPFTracers
import Profiles

/// The parts of a stack of `ebpf profile --off-cpu` or `--wall`.
struct WallStack {
  /// The state: `running`, `blocked: sleeping`.
  let state: String
  /// The frames of the thread, from the innermost one, without the state.
  let frames: [Profile.Frame]
  /// Who ended the wait; nil where nobody did, or nobody looked.
  let waker: String?
  /// The frames of who did it, from the innermost one.
  let wakerFrames: [Profile.Frame]

  /// A stack of a profile, leaf first.
  init(_ profile: Profile, _ stack: [Int]) {
    var frames = stack.map { profile.frames[$0] }
    if let end = frames.firstIndex(where: { $0.kind == .marker && $0.name == WallWake.separator }) {
      waker = frames[0].name
      wakerFrames = frames[1..<end].reversed()
      frames.removeSubrange(...end)
    } else {
      waker = nil
      wakerFrames = []
    }
    var state = ThreadState.running.label
    if let leaf = frames.first, leaf.kind == .marker, let name = leaf.name,
      ThreadState.allCases.contains(where: { $0.label == name })
    {
      state = name
      frames.removeFirst()
    }
    self.state = String(state.dropFirst().dropLast())
    self.frames = frames
  }

  /// The user functions from the innermost one; those of the kernel where there are no others.
  var functions: [String] { WallStack.functions(frames) }

  /// The same of who ended the wait, without the function that all of them end in.
  var wakerFunctions: [String] {
    WallStack.functions(wakerFrames.filter { $0.name != "try_to_wake_up" })
  }

  private static func functions(_ frames: [Profile.Frame]) -> [String] {
    let user = frames.filter { $0.kind != .kernel }
    return (user.contains { $0.kind != .marker } ? user : frames).map(WallStack.name)
  }

  /// The name of a frame, or its address.
  static func name(_ frame: Profile.Frame) -> String {
    frame.name ?? "0x" + String(frame.address, radix: 16)
  }
}
