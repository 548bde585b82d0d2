import ControlProtocol
import EBPF
import EBPFTracers

/// Does what requests ask of running tracers, and words the answers.
struct ControlDesk {
  let tracers: [RunningTracer]
  let governor: GovernorPart?

  /// The answer to one line, and whether the recording ends by it.
  func answer(_ line: [UInt8]) -> (text: String, ends: Bool) {
    do throws(ControlRequestError) {
      let request = try ControlRequest(parsing: line)
      do throws(EBPFError) {
        let document = try perform(request)
        return (JSONDocument.line(document), request.verb == .stop)
      } catch { return (JSONDocument.line(ErrorDocument(error)), false) }
    } catch {
      let error = EBPFError(.invalidArgument, error.message, hint: error.hint)
      return (JSONDocument.line(ErrorDocument(error)), false)
    }
  }

  private func perform(_ request: ControlRequest) throws(EBPFError) -> ControlAnswer {
    let tracers = try chosen(request.tracer)
    switch request.verb {
    case .pause: for tracer in tracers { try tracer.pause() }
    case .resume: for tracer in tracers { try tracer.resume() }
    case .filter: try filter(tracers, request)
    case .stats, .overhead, .stop: break
    }
    var answer = ControlAnswer(
      request: request.verb.rawValue, economy: governor.map { EconomyDocument($0.state) })
    for tracer in tracers {
      answer.tracers[tracer.name] = try ControlAnswer.Part(tracer, request.verb)
    }
    return answer
  }

  private func chosen(_ name: String?) throws(EBPFError) -> [RunningTracer] {
    guard let name else { return tracers }
    let chosen = tracers.filter { $0.name == name }
    guard !chosen.isEmpty else {
      throw EBPFError(
        .notFound, "there is no tracer '\(name.prefix(40))' in this recording",
        hint: "there is " + tracers.map(\.name).joined(separator: ", "))
    }
    return chosen
  }

  private func filter(
    _ tracers: [RunningTracer], _ request: ControlRequest
  ) throws(EBPFError) {
    // Everything is read before anything is changed.
    let selection = try request.syscalls.map { (text) throws(EBPFError) in
      try SyscallSelection(parsing: text)
    }
    let filter = try request.processes.map { (wanted) throws(EBPFError) in
      try TracerFilter(wanted)
    }
    let selects = tracers.compactMap(\.select)
    if selection != nil, selects.isEmpty {
      throw EBPFError(
        .invalidArgument, "system calls can be chosen for the tracer 'syscalls' only")
    }
    if let selection { for select in selects { try select(selection) } }
    if let filter { for tracer in tracers { try tracer.tracer.setFilter(filter) } }
  }
}

extension TracerFilter {
  init(_ wanted: ControlFilter) throws(EBPFError) {
    self.init()
    processes = Set(wanted.pid)
    followsChildren = wanted.children
    commands = Set(wanted.comm)
    for path in wanted.cgroup { cgroups.insert(try ControlGroup.id(of: path)) }
    for prefix in wanted.container { try addContainer(prefix) }
  }
}
