internal import EBPFSystem

extension KernelFeatures {
  /// Raw tracepoints.
  public var rawTracepoints: Answer {
    rawTracepoint("sys_enter", missing: "no raw tracepoints")
  }

  /// One raw tracepoint, which this kernel or machine may not have.
  public func rawTracepoint(_ name: String) -> Answer {
    rawTracepoint(name, missing: "no raw tracepoint \(name)")
  }

  private func rawTracepoint(_ name: String, missing: String) -> Answer {
    answer("raw tracepoint \(name)") {
      attach(.rawTracepoint, nil, since: KernelVersion(4, 17), missing: missing) {
        (kernel, program) throws(Errno) in
        _ = try kernel.openRawTracepoint(name, program: program, cookie: 0)
      }
    }
  }

  /// BTF-typed tracepoints (`tp_btf`).
  public var typedTracepoints: Answer { programType(.tracing) }

  /// Functions' entries and exits through trampolines (`fentry`, `fexit`).
  public var functionTracing: Answer {
    answer("fentry") {
      let since = KernelVersion(5, 5)
      var request = self.request(.tracing)
      request.attachType = AttachType.traceFunctionEntry.rawValue
      do throws(EBPFError) {
        request.attachTypeID = try types.target(
          named: "bpf_fentry_test1", for: .traceFunctionEntry
        ).typeID
      } catch { return Answer(verdict: .no, reason: error.message, since: since) }
      var log = KernelLog.none
      do throws(Errno) {
        let program = try kernel.loadProgram(request, instructions: Self.returnZero, log: &log)
        _ = try kernel.openRawTracepoint("", program: program.rawValue, cookie: 0)
        return Answer(verdict: .yes, reason: "", since: since)
      } catch {
        if error == .notPermitted, programType(.tracing).verdict == .yes {
          return Answer(
            verdict: .no, reason: "refused by this kernel's policy (EPERM without a reason)",
            since: since)
        }
        return self.answer(error, since: since, missing: "no trampolines on this kernel")
      }
    }
  }

  /// Probes of kernel functions.
  public var kernelProbes: Answer {
    answer("kprobe") {
      // A function for tests that nothing else calls. Lockdown refuses only those that exist.
      probeUnit("kprobe", name: "bpf_fentry_test1", option: "CONFIG_KPROBES")
    }
  }

  /// Probes of user functions through the performance unit, which takes `CAP_SYS_ADMIN`.
  public var userProbes: Answer {
    answer("uprobe") { probeUnit("uprobe", name: "/no/such/file", option: "CONFIG_UPROBES") }
  }

  /// The kernel looks at rights first, and then whether the place exists.
  private func probeUnit(_ unit: String, name: String, option: String) -> Answer {
    let since = KernelVersion(4, 17)
    do throws(EBPFError) {
      guard let found = try ProbeUnit.named(unit) else {
        let file = Tracefs.usualPlaces.contains { FileSystem.exists("\($0)/\(unit)_events") }
        return Answer(
          verdict: file ? .yes : .no,
          reason: file ? "" : "this kernel has no \(unit)s (\(option) is off)", since: since)
      }
      var request = PerfEventRequest(type: found.type, config: 0)
      request.name = name
      do throws(Errno) {
        _ = try kernel.openPerfEvent(request, process: -1, cpu: 0, flags: 0)
        return Answer(verdict: .yes, reason: "", since: since)
      } catch {
        switch error {
        case .noEntry, .invalid: return Answer(verdict: .yes, reason: "", since: since)
        case .notPermitted:
          return Answer(
            verdict: .no, reason: "EPERM: refused by kernel lockdown or a seccomp filter",
            since: since)
        case .accessDenied:
          return Answer(
            verdict: .no,
            reason: "\(error.name): opening one takes CAP_SYS_ADMIN"
              + (unit == "kprobe" ? ", or CAP_PERFMON where perf_event_paranoid is 2 or less" : ""),
            since: since)
        default:
          return self.answer(error, since: since, missing: "the performance unit does not work")
        }
      }
    } catch { return Answer(verdict: .unknown, reason: error.message, since: since) }
  }

  /// Many places of a file through one link, without `CAP_SYS_ADMIN`.
  public var userProbesMulti: Answer {
    userProbes(.traceUprobeMulti, "uprobe.multi", since: KernelVersion(6, 6))
  }

  /// The same, with one program for a function's entry and its return.
  public var userProbeSessions: Answer {
    userProbes(.traceUprobeSession, "uprobe.session", since: KernelVersion(6, 13))
  }

  private func userProbes(
    _ attachType: AttachType, _ name: String, since: KernelVersion
  ) -> Answer {
    answer(name) {
      attach(.kprobe, attachType, since: since, missing: "no \(name)") {
        (kernel, program) throws(Errno) in
        let detail = LinkRequest.Detail.uprobeMulti(
          flags: 0, path: "/", offsets: [0], semaphores: [], cookies: [], process: 0)
        do throws(Errno) {
          _ = try kernel.createLink(
            LinkRequest(
              program: program, target: 0, attachType: attachType.rawValue, detail: detail))
        } catch {
          // A directory is not a file with code: the kernel came as far as looking.
          guard error == .badDescriptor else { throw error }
        }
      }
    }
  }

  /// Many kernel functions through one link.
  public var kernelProbesMulti: Answer {
    answer("kprobe.multi") {
      attach(
        .kprobe, .traceKprobeMulti, since: KernelVersion(5, 18),
        missing: "no kprobe.multi (CONFIG_FPROBE)"
      ) { (kernel, program) throws(Errno) in
        _ = try kernel.createLink(
          LinkRequest(
            program: program, target: 0, attachType: AttachType.traceKprobeMulti.rawValue,
            detail: .kprobeMulti(
              flags: 0, symbols: ["bpf_fentry_test1"], addresses: [], cookies: [])))
      }
    }
  }

  /// Performance events on a whole CPU: the clock.
  public var perfEvents: Answer {
    answer("perf event") {
      let since = KernelVersion(4, 9)
      var request = PerfEventRequest(type: 1, config: 0)
      request.period = 1_000_000_000
      request.flags = .disabled
      do throws(Errno) {
        _ = try kernel.openPerfEvent(request, process: -1, cpu: 0, flags: 0)
        return Answer(verdict: .yes, reason: "", since: since)
      } catch {
        switch error {
        case .accessDenied, .notPermitted:
          return Answer(
            verdict: .no,
            reason: "\(error.name): "
              + (PerfEventLimits.denied(error, "").hint ?? "permission denied"), since: since)
        default: return self.answer(error, since: since, missing: "no performance events")
        }
      }
    }
  }

  /// Run time and run counts of programs.
  public var statistics: Answer {
    answer("statistics") {
      let since = KernelVersion(5, 8)
      do throws(Errno) {
        _ = try kernel.enableStatistics(0)
        return Answer(verdict: .yes, reason: "", since: since)
      } catch {
        if error == .notPermitted || error == .accessDenied {
          return Answer(
            verdict: .no, reason: "\(error.name): it takes CAP_SYS_ADMIN", since: since)
        }
        return self.answer(error, since: since, missing: "no run-time statistics")
      }
    }
  }

  /// Loads the shortest program and attaches it.
  private func attach(
    _ type: ProgramType, _ attachType: AttachType?, since: KernelVersion, missing: String,
    _ attach: (any KernelInterface, Int32) throws(Errno) -> Void
  ) -> Answer {
    var request = self.request(type)
    request.attachType = attachType?.rawValue ?? 0
    var log = KernelLog.none
    do throws(Errno) {
      let program = try kernel.loadProgram(request, instructions: Self.returnZero, log: &log)
      try attach(kernel, program.rawValue)
      return Answer(verdict: .yes, reason: "", since: since)
    } catch {
      if error == .notPermitted, programType(type).verdict == .yes {
        return Answer(
          verdict: .no, reason: "refused although programs of this type load (EPERM)", since: since)
      }
      return answer(error, since: since, missing: missing)
    }
  }
}
