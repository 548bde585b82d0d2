import EBPF
import EBPFTracers
import Profiles
import TestSupport

/// Contexts that a program publishes as OTEPs 4719 and 4947 say it: which span it is at work on.
enum ContextChecks {
  static let all = [
    Check("samples carry the published span their thread was at work on, and no other") {
      let child = try StoppedProcess([Guest.threadContext, "0.2"])
      var configuration = CPUProfilerConfiguration()
      configuration.frequency = 499
      configuration.filter.processes = [child.id]
      let profiler = CPUProfiler(configuration)
      try profiler.start()
      try equal(try child.finish(), 0, "the status")
      let result = try profiler.stop()
      let profile = result.profile
      var inside: Int64 = 0
      var linked: UInt64 = 0
      for sample in profile.samples {
        let names = profile.stacks[sample.stack].compactMap { profile.frames[$0].name }
        let own = sample.span.map { profile.spans[$0] }
        if own != nil { linked += UInt64(sample.values[0]) }
        if names.contains("in_span") {
          try equal(own, span, "the span of \(names)")
          inside += sample.values[0]
        } else if names.contains("outside") {
          try equal(own, nil, "the span of \(names)")
        }
      }
      // How often an emulated machine comes to sample is not known.
      try require(inside > 0, "no sample in the span")
      try equal(profile.resources, [[.init("service.name", .string("c"))]], "resources")
      let contexts = result.contexts
      try equal(contexts.linkedSamples, linked, "linked samples")
      try equal([contexts.unreadable, contexts.unplaced], [0, 0], "contexts that were not read")
      try equal([contexts.lostLinks, contexts.unreadableLinks], [0, 0], "links that were lost")
    },
    Check("system calls are events of the published span they were made in, and of no other") {
      let child = try StoppedProcess([Guest.threadContext, "0"])
      var configuration = SyscallTracerConfiguration()
      configuration.filter.processes = [child.id]
      configuration.sendsEvents = true
      configuration.eventRule = SyscallEventRule(failed: true)
      configuration.linksSpans = true
      let tracer = SyscallTracer(configuration)
      try tracer.start()
      try equal(try child.finish(), 0, "the status")
      let summary = try tracer.stop()
      try equal(summary.losses.events, 0, "lost events")
      var counts: [String: Int] = [:]
      for event in summary.unreadEvents {
        let path = event.arguments.map(\.text).first { $0.contains("/nowhere/") }
        guard let path else { continue }
        let isInside = path.contains("in_span")
        try equal(event.span, isInside ? span : nil, "the span of \(path)")
        counts[isInside ? "in_span" : "outside", default: 0] += 1
      }
      try equal(counts, ["in_span": 10, "outside": 10], "calls that failed")
      let contexts = try require(summary.contexts, "contexts were not read")
      try equal(contexts.linkedSamples, 10, "linked events")
    },
  ]

  private static let span: Profile.Span = {
    let byte: UInt64 = 0x0101_0101_0101_0101
    return Profile.Span(traceHigh: 0x11 * byte, traceLow: 0x11 * byte, spanID: 0x22 * byte)
  }()
}
