import EBPF
import EBPFSystem
import Glibc

/// The ids of all BPF objects that the kernel has.
struct KernelObjects: Equatable, CustomStringConvertible {
  private let ids: [[UInt32]]

  init() throws {
    let kinds: [KernelObjectKind] = [.program, .map, .link]
    ids = try kinds.map { kind in
      var ids: [UInt32] = []
      while let next = try LiveKernel().nextID(kind, after: ids.last ?? 0) { ids.append(next) }
      return ids
    }
  }

  /// What there is, as soon as that is `wanted`: the kernel frees an object a moment after its last
  /// user is gone. After a minute, whatever there is.
  static func settled(to wanted: KernelObjects) throws -> KernelObjects {
    let deadline = Clock.monotonic.now + 60_000_000_000
    while true {
      let now = try KernelObjects()
      if now == wanted || Clock.monotonic.now > deadline { return now }
      sched_yield()
    }
  }

  var description: String { "programs \(ids[0]), maps \(ids[1]), links \(ids[2])" }
}
