import EBPF
import EBPFSystem
import EBPFTracers
import TestSupport

/// The process tracer against a program of known work, on each of its ways to see processes.
enum ProcessChecks {
  private static let typed = ["process_exec_typed", "process_exit_typed"]
  private static let raw = ["process_exec_raw", "process_exit_raw"]

  static let all = [
    Check("each child has a run with its end, in each way to see processes") {
      for (missing, used) in [([], "tp_btf"), (typed, "raw_tp"), (typed + raw, "tracepoint/sched")]
      {
        let file = "/tmp/children"
        let parent = try StoppedProcess([Guest.processes, file, "4"])
        var configuration = ProcessTracerConfiguration()
        configuration.filter.follow(parent.id)
        let tracer = ProcessTracer(configuration, kernel: KernelWithout(programs: missing))
        try tracer.start()
        try equal(try parent.finish(), 0, "the status")
        let recording = try tracer.stop()
        try equal(
          recording.hooks.prefix(2).map(\.used),
          [used + "/sched_process_exec", used + "/sched_process_exit"], "the hooks")
        var runs: [Int32: [ProcessRun]] = [:]
        for case .ended(let run) in recording.unreadEvents {
          runs[run.process, default: []].append(run)
        }
        try equal(runs.values.reduce(0) { $0 + $1.count }, 4 * 9 + 1, "runs by \(used)")
        let lines = try Guest.text(file).split(separator: "\n")
        try equal(lines.count, 32, "children")
        for line in lines {
          let words = line.split(separator: " ")
          let status = try require(Int32(words[2]), "a status in '\(line)'")
          let own = try require(
            Int32(words[1]).flatMap { runs[$0] }, "a run of '\(line)' by \(used)")
          try equal(own.count, words[0] == "twice" ? 2 : 1, "runs of '\(line)' by \(used)")
          let ending: ProcessRun.Ending =
            status & 0x7f == 0
            ? .exited(status >> 8 & 0xff) : .killed(signal: status & 0x7f, dumpsCore: false)
          try equal(own.last?.ending, ending, "the end of '\(line)' by \(used)")
          guard words[0] != "copy" else {
            try equal(own[0].origin, .forked, "the origin of '\(line)' by \(used)")
            continue
          }
          try equal(own[0].path, Guest.processes, "the path of '\(line)' by \(used)")
          try equal(
            Array(own[0].arguments.prefix(3)), ["processes", "run", String(words[0])],
            "arguments of '\(line)' by \(used)")
        }
        let all = recording.statistics
        try equal(all.seen, all.recorded + all.dropped + all.unwanted, "the sum of \(all)")
        try equal([all.recorded, all.dropped], [65, 0], "recorded and lost by \(used)")
      }
    }
  ]
}
