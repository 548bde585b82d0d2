internal import EBPF
internal import Profiles
internal import Symbolization

extension WallAssembler {
  /// Waits with who ended them.
  func addWakes(_ builder: inout ProfileBuilder) -> [WallWake] {
    let keys = received.wall.wakes.keys.filter { isShown($0.blocked) }.sorted {
      $0.blocked == $1.blocked
        ? ProfilerKey.precedes($0.waker, $1.waker) : ProfilerKey.precedes($0.blocked, $1.blocked)
    }
    let (user, kernel) = frames(keys.map(\.blocked))
    let (wakerUser, wakerKernel) = frames(keys.map(\.waker))
    var sums: [WallWake: (count: Int64, nanoseconds: Int64)] = [:]
    for (index, key) in keys.enumerated() {
      let total = received.wall.wakes[key] ?? WaitTotal()
      let (waker, other) = waker(
        key.waker, user: wakerUser[index], kernel: WallAssembler.withoutTracing(wakerKernel[index]))
      var markers = markers(of: key.blocked)
      markers.leaf = key.blocked.threadState.label
      let values = [Int64(clamping: total.count), Int64(clamping: total.nanoseconds)]
      let (process, stack) = builder.add(
        process: self.process(of: key.blocked),
        kernel: WallAssembler.withoutTracing(kernel[index]), user: user[index], markers: markers,
        above: other, values: values)
      let wake = WallWake(waker: waker, process: process, stack: stack, count: 0, nanoseconds: 0)
      let sum = sums[wake] ?? (0, 0)
      sums[wake] = (sum.count + values[0], sum.nanoseconds + values[1])
    }
    return sums.map { wake, sum in
      var wake = wake
      (wake.count, wake.nanoseconds) = sum
      return wake
    }.sorted {
      ($1.nanoseconds, $0.process, $0.stack, $0.waker.process)
        < ($0.nanoseconds, $1.process, $1.stack, $1.waker.process)
    }
  }

  /// Who a waker is, and what of its stack has to do with the wake-up.
  private func waker(
    _ key: ProfilerKey, user: [SymbolizedFrame], kernel: [SymbolizedFrame]
  ) -> (WallWaker, ProfileBuilder.Other) {
    var waker = WallWaker(context: .unknown)
    var other = ProfileBuilder.Other(
      separator: WallWake.separator, label: "", kernel: [], user: [],
      markers: ProfileBuilder.Markers())
    let hasStacks = key.flags & ProfilerKey.Flags.stacksLeftOut == 0
    if key.flags & ProfilerKey.Flags.isWaker != 0, hasStacks {
      let entry = WallAssembler.interruptEntry(kernel)
      waker.context =
        if key.process.processID == 0 || entry != nil {
          .interrupt
        } else if key.kernelStack.isNone || kernel.allSatisfy({ $0.function == nil }) {
          .undecided
        } else {
          .thread
        }
      other.kernel = kernel
      if waker.context == .interrupt {
        other.kernel = Array(kernel.prefix((entry ?? kernel.count) + 1))
      } else {
        waker.process = Int32(truncatingIfNeeded: key.process.processID)
        waker.thread = Int32(truncatingIfNeeded: key.threadID)
        waker.command = key.command.text
        other.user = user
        other.markers = ProfileAssembler.markers(of: key, stacks: received.stacks)
      }
      if configuration.stacks == .user { other.kernel = [] }
    }
    other.label = waker.label
    return (waker, other)
  }

  /// Where in a kernel stack an interrupt came upon what ran; what is nearer to the root is of the other.
  ///
  /// The names are those of arch/x86/include/asm/idtentry.h and arch/arm64/kernel/entry.S.
  private static func interruptEntry(_ frames: [SymbolizedFrame]) -> Int? {
    frames.firstIndex { frame in
      guard let name = frame.function else { return false }
      return [
        "asm_sysvec_", "asm_common_interrupt", "asm_exc_xen_hypervisor_callback", "el1h_64_irq",
        "el1t_64_irq", "el0t_64_irq", "el0t_32_irq",
      ].contains { name.hasPrefix($0) }
    }
  }
}
