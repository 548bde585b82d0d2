import EBPF
import Glibc

/// Capabilities 10 and 11 with kernel probes: detaching one, and detaching all.
enum LinkChecks {
  static let all = [
    Check("one kprobe is detached by name and its count freezes; the other goes on") {
      let first = try counters()
      let second = try counters()
      let links = Links()
      for (name, object) in [("first", first), ("second", second)] {
        try links.attach(try object.program("count_entry"), to: point, as: name)
      }
      call(10_000)
      try links.detach("first")
      try equal(links.names, ["second"], "what is attached")
      call(10_000)
      try equal(try entries(first), 10_000, "the first")
      try equal(try entries(second), 20_000, "the second")
      // Its program is still loaded.
      try links.attach(try first.program("count_entry"), to: point, as: "first")
      call(1_000)
      try equal(try entries(first), 11_000, "the first, attached again")
      try require(links.detachAll().isEmpty, "not everything was detached")
    },
    Check("a name that is taken or unknown is refused, and nothing changes") {
      let object = try counters()
      let program = try object.program("count_entry")
      let links = Links()
      try links.attach(program, to: point, as: "getppid")
      let taken = try refusal { try links.attach(program, to: point, as: "getppid") }
      try equal(
        taken, .exists, "something is attached as 'getppid' already",
        hint: "detach it first: detach(_:)")
      let unknown = try refusal { try links.detach("getpid") }
      try equal(
        unknown, .notFound, "nothing is attached as 'getpid'", hint: "did you mean 'getppid'?")
      call(1_000)
      try equal(try entries(object), 1_000, "entries")
      try require(links.detachAll().isEmpty, "not everything was detached")
    },
    Check("all kprobes, kretprobes, trampolines and tracepoints are detached at once") {
      let probes = try counters()
      let trampoline = try Guest.load("count_trampoline")
      let tracepoint = try Guest.load("count_tp_btf")
      for object in [trampoline, tracepoint] {
        try object.setVariable("target_tgid", to: getpid())
      }
      let links = Links()
      try links.attach(try probes.program("count_entry"), to: point, as: "kprobe")
      try links.attach(
        try probes.program("count_return"), to: .kretprobe(KernelProbeChecks.function),
        as: "kretprobe")
      try links.attach(try trampoline.program("count_entry"), to: .loadedTarget, as: "fentry")
      try links.attach(try tracepoint.program("count_enter"), to: .loadedTarget, as: "tp_btf")
      call(1_000)
      open(1_000)
      try require(links.detachAll().isEmpty, "not everything was detached")
      try equal(links.names, [], "what is attached")
      call(1_000)
      open(1_000)
      try equal(try entries(probes), 1_000, "kprobe")
      try equal(try probes.variable("returns", as: UInt64.self), 1_000, "kretprobe")
      try equal(try entries(trampoline), 1_000, "fentry")
      let enters = try PerCPUMap<UInt32, UInt64>(tracepoint.map("enters"))
      try equal(try enters.values(for: 110)?.reduce(0, +), 1_000, "tp_btf")
    },
    Check("unloading an object ends its probes") {
      let object = try counters()
      let link = try object.program("count_entry").attach(point)
      try require(object.unload().isEmpty, "not everything was detached")
      let isAttached = link.isAttached
      try require(!isAttached, "the link says that it is attached")
      try equal(try Guest.text("/sys/kernel/debug/kprobes/list"), "", "the kernel's probes")
      try link.detach()
    },
  ]

  private static let point = AttachPoint.kprobe(KernelProbeChecks.function)

  /// `count_kprobe`, for this process.
  private static func counters() throws -> LoadedObject {
    let object = try Guest.load("count_kprobe")
    try object.setVariable("target_tgid", to: getpid())
    return object
  }

  private static func entries(_ object: LoadedObject) throws -> UInt64 {
    try object.variable("entries", as: UInt64.self)
  }

  /// Nothing else in this process asks for its parent.
  private static func call(_ count: Int) { for _ in 0..<count { getppid() } }

  private static func open(_ count: Int) {
    for _ in 0..<count { close(Glibc.open("/dev/null", O_RDONLY)) }
  }
}
