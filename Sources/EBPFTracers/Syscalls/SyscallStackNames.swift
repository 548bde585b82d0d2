internal import Symbolization

/// Names the user stacks of traced calls.
public struct SyscallStackNames: Sendable {
  private let symbolizer = Symbolizer.ofTracers()

  /// Names nothing yet; files are read when they are first met.
  public init() {}

  /// The frames of an event's stack, leaf first: `function+0x1f (libc.so.6)`, or the address.
  public func frames(of event: SyscallEvent) -> [String] {
    guard !event.stack.isEmpty else { return [] }
    var frames = symbolizer.symbolize(pid: event.process, event.stack).map { frame in
      let file = frame.module.map { " (\($0.path))" } ?? ""
      let offset = frame.offset.map { "+0x" + String($0, radix: 16) } ?? ""
      return (frame.function ?? "0x" + String(frame.address, radix: 16)) + offset + file
    }
    if event.stackIsCut { frames.append("...") }
    return frames
  }
}
