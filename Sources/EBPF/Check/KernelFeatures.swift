public import EBPFSystem
internal import Synchronization

/// What the running kernel can do, found out by trying; each answer is kept.
///
/// Trying is the only way that counts in a container, with a backport, under a policy: version
/// numbers and capability bits only explain.
public final class KernelFeatures: Sendable {
  /// The running kernel's, shared by everything in this process.
  public static let running = KernelFeatures()

  /// An answer.
  public struct Answer: Sendable, Hashable {
    /// Yes, no, or not to be found out.
    public enum Verdict: String, Sendable, Hashable {
      /// It was tried and works.
      case yes
      /// It was tried and does not work.
      case no
      /// Trying was not possible.
      case unknown
    }
    /// Yes, no or unknown.
    public let verdict: Verdict
    /// Why; empty for yes.
    public let reason: String
    /// The first version of Linux that has it, where that is known.
    public let since: KernelVersion?
  }

  let kernel: any KernelInterface
  let types: KernelTypes
  /// A BPF token, for a process in a user namespace.
  let token: Int32?
  private let answers = Mutex<[String: Answer]>([:])

  /// The features of a kernel.
  public convenience init(
    kernel: any KernelInterface = LiveKernel(), types: KernelTypes = .running
  ) {
    self.init(kernel: kernel, types: types, token: nil)
  }

  /// The same for a process that loads with a token, which the caller keeps open.
  init(kernel: any KernelInterface, types: KernelTypes, token: Int32?) {
    self.kernel = kernel
    self.types = types
    self.token = token
  }

  /// A request for a program that is loaded to see whether it can be.
  func request(_ type: ProgramType) -> ProgramRequest {
    var request = ProgramRequest(type: type.rawValue)
    request.license = "GPL"
    request.token = token
    return request
  }

  /// The kept answer, or a new one. Two threads may ask the kernel the same at once; that is harmless.
  func answer(_ key: String, _ probe: () -> Answer) -> Answer {
    if let known = answers.withLock({ $0[key] }) { return known }
    let answer = probe()
    answers.withLock { $0[key] = answer }
    return answer
  }

  /// What a refusal by the kernel tells of a feature.
  func answer(_ error: Errno, since: KernelVersion?, missing: String) -> Answer {
    switch error {
    case .notPermitted, .accessDenied:
      Answer(verdict: .unknown, reason: "permission denied (\(error.name))", since: since)
    default:
      Answer(
        verdict: .no,
        reason: "\(missing) (\(error.name))"
          + (since.map { "; " + Self.existence(since: $0) } ?? ""),
        since: since)
    }
  }

  /// A kernel that is new enough and has not got it was built without it.
  private static func existence(since version: KernelVersion) -> String {
    guard let running = runningVersion, running >= version else {
      return "it exists since Linux \(version)"
    }
    return "Linux has it since \(version), this one was built without it"
  }

  /// The running kernel's version; nil when it does not say.
  private static let runningVersion: KernelVersion? = {
    do {
      return try KernelVersion(release: try MachineNames.current().release)
    } catch { return nil }
  }()
}

// MARK: - Programs

extension KernelFeatures {
  /// The shortest program there is: return 0.
  static let returnZero = [
    Instruction(opcode: 0xb7), Instruction(opcode: 0x95),
  ]

  /// Whether this process can load any program: a socket filter.
  public var canLoadPrograms: Answer { programType(.socketFilter) }

  /// Whether programs of a type can be loaded.
  public func programType(_ type: ProgramType) -> Answer {
    answer("program \(type.rawValue)") { probe(type) }
  }

  private func probe(_ type: ProgramType) -> Answer {
    var request = self.request(type)
    request.attachType = Self.typicalAttachType(of: type)?.rawValue ?? 0
    if type == .systemCall { request.flags = 1 << 4 }
    var needsLog = false
    switch type {
    case .tracing, .lsm:
      let name = type == .tracing ? "sys_enter" : "file_open"
      do throws(EBPFError) {
        let attachType: AttachType = type == .tracing ? .traceRawTracepoint : .lsm
        request.attachTypeID = try types.target(named: name, for: attachType).typeID
      } catch {
        return Answer(
          verdict: error.code == .denied ? .unknown : .no, reason: error.message,
          since: type.firstKernel)
      }
    case .replacement, .structOps:
      // A complete load needs another program, or a map; the complaint about their absence will do.
      request.attachTypeID = 1
      needsLog = true
    default: break
    }
    var log = needsLog ? KernelLog(level: 1, capacity: 4096) : KernelLog.none
    do throws(Errno) {
      _ = try kernel.loadProgram(request, instructions: Self.returnZero, log: &log)
      return Answer(verdict: .yes, reason: "", since: type.firstKernel)
    } catch {
      if needsLog, error == .invalid || error == .notSupportedInternal, !log.text.isEmpty {
        return Answer(verdict: .yes, reason: "", since: type.firstKernel)
      }
      if error == .notPermitted, type != .socketFilter, mayTrace(type) {
        return Answer(
          verdict: .no, reason: "refused by this kernel's policy (EPERM without a reason)",
          since: type.firstKernel)
      }
      return answer(
        error, since: type.firstKernel, missing: "the kernel does not take programs of type \(type)"
      )
    }
  }

  /// Whether EPERM for this type cannot be for lack of capabilities: another that needs the same works.
  private func mayTrace(_ type: ProgramType) -> Bool {
    switch type {
    case .lsm, .replacement, .structOps, .tracing: programType(.rawTracepoint).verdict == .yes
    default: false
    }
  }

  /// The attach type a program of this type has to name when it is loaded; nil for none.
  static func typicalAttachType(of type: ProgramType) -> AttachType? {
    switch type {
    case .tracing: .traceRawTracepoint
    case .lsm: .lsm
    case .cgroupSocketAddress: .cgroupInet4Connect
    case .cgroupSocketOption: .cgroupGetsockopt
    case .cgroupSocket: .cgroupInetSockCreate
    case .socketLookup: .skLookup
    case .socketReusePort: .skReuseportSelect
    case .netfilter: .netfilter
    default: nil
    }
  }
}

// MARK: - Attaching

extension KernelFeatures {
  /// Programs on performance events through `bpf_link`, which also brings cookies.
  public var perfEventCookies: Answer {
    answer("perf event link") {
      let since = KernelVersion(5, 15)
      let request = self.request(.tracepoint)
      var log = KernelLog.none
      do throws(Errno) {
        let program = try kernel.loadProgram(request, instructions: Self.returnZero, log: &log)
        _ = try kernel.createLink(
          LinkRequest(
            program: program.rawValue, target: -1, attachType: AttachType.perfEvent.rawValue,
            detail: .perfEvent(cookie: 1)))
        return Answer(verdict: .yes, reason: "", since: since)
      } catch {
        // A kernel that knows the command looks for the event, which does not exist.
        if error == .badDescriptor { return Answer(verdict: .yes, reason: "", since: since) }
        return self.answer(error, since: since, missing: "no bpf_link for performance events")
      }
    }
  }
}
