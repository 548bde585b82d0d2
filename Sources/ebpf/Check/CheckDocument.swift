import EBPF

/// What `ebpf check --json` says.
struct CheckDocument: Encodable {
  let kernel: Kernel
  let compatible: Bool
  let rows: [Row]
  let tracers: [Tracer]

  struct Kernel: Encodable {
    let release: String
    let machine: String
  }

  struct Row: Encodable {
    let group: String
    let name: String
    let verdict: String
    let reason: String
    @Nullable var remedy: String?
  }

  struct Tracer: Encodable {
    let name: String
    let canRun: Bool
    let hooks: [Hook]
  }

  struct Hook: Encodable {
    let need: String
    @Nullable var used: String?
    let refused: [Refusal]
  }

  struct Refusal: Encodable {
    let hook: String
    let why: String
  }

  init(_ check: SystemCheck, isFine: Bool) {
    kernel = Kernel(release: check.release, machine: check.machine)
    compatible = isFine
    rows = check.rows.map {
      Row(
        group: $0.group, name: $0.name, verdict: $0.verdict.rawValue, reason: $0.reason,
        remedy: $0.remedy)
    }
    tracers = check.tracers.map { tracer in
      Tracer(
        name: tracer.name, canRun: tracer.canRun,
        hooks: tracer.hooks.map { hook in
          Hook(
            need: hook.need, used: hook.used,
            refused: hook.refused.map { Refusal(hook: $0.hook, why: $0.why) })
        })
    }
  }
}
