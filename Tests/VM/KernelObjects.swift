import EBPF
import EBPFSystem
import Glibc

/// The ids of all BPF objects that the kernel has. No id is used twice.
struct KernelObjects {
  private let ids: [Set<UInt32>]

  init() throws {
    let kinds: [KernelObjectKind] = [.program, .map, .link]
    ids = try kinds.map { kind in
      var ids: [UInt32] = []
      while let next = try LiveKernel().nextID(kind, after: ids.last ?? 0) { ids.append(next) }
      return Set(ids)
    }
  }

  /// Throws when anything that has been made since then is still there. The kernel frees an object a
  /// moment after its last user is gone, so this waits for up to a minute.
  func requireNothingNew() throws {
    let deadline = Clock.monotonic.now + 60_000_000_000
    while true {
      let left = zip(try KernelObjects().ids, ids).map { $0.subtracting($1) }
      if left.allSatisfy(\.isEmpty) { return }
      try require(
        Clock.monotonic.now < deadline,
        "left: programs \(left[0].sorted()), maps \(left[1].sorted()), links \(left[2].sorted())")
      sched_yield()
    }
  }
}
