internal import EBPFSystem

extension KernelFeatures {
  /// Whether programs of a type may call a helper, by its number (see ``HelperTable``).
  public func helper(_ id: Int32, in type: ProgramType) -> Answer {
    answer("helper \(id) \(type.rawValue)") { probe(helper: id, in: type) }
  }

  private func probe(helper id: Int32, in type: ProgramType) -> Answer {
    let since = HelperTable.firstKernel(of: id)
    let loads = programType(type)
    guard loads.verdict == .yes else {
      return Answer(verdict: loads.verdict, reason: loads.reason, since: since)
    }
    var request = self.request(type)
    request.attachType = Self.typicalAttachType(of: type)?.rawValue ?? 0
    if type == .tracing || type == .lsm || type == .replacement || type == .structOps {
      return Answer(
        verdict: .unknown, reason: "not tried for programs of type \(type)", since: since)
    }
    // The call's arguments are wrong on purpose; a verifier that gets so far knows the helper.
    let program = [Instruction(opcode: 0x85, immediate: id), Instruction(opcode: 0x95)]
    var log = KernelLog(level: 1, capacity: 4096)
    do throws(Errno) {
      _ = try kernel.loadProgram(request, instructions: program, log: &log)
      return Answer(verdict: .yes, reason: "", since: since)
    } catch {
      let refusals = ["invalid func ", "unknown func ", "program of this type cannot use helper "]
      guard
        let line = log.text.split(separator: "\n").last(where: { line in
          refusals.contains { line.contains($0) }
        })
      else {
        // A complaint about the arguments, or about the missing result.
        if !log.text.isEmpty { return Answer(verdict: .yes, reason: "", since: since) }
        return answer(error, since: since, missing: "the kernel does not say")
      }
      return Answer(verdict: .no, reason: String(line), since: since)
    }
  }
}
