internal import EBPFSystem
internal import Synchronization

/// The load of one program: everything is prepared but the kernel's part, which any thread can ask for.
struct ProgramAttempt: Sendable {
  let spec: ProgramSpec
  let rejection: ProgramRejection
  /// Kept open while the program is loaded.
  let target: LoadTarget?
  /// The maps of constants.
  let constants: [RawMap]
  let attachments: AttachmentSet

  /// What the kernel made of it.
  struct Outcome: Sendable {
    let program: Result<Program, EBPFError>
    let log: VerifierLog?
  }

  private func run(_ kernel: any KernelInterface, logLevel: UInt32) -> Outcome {
    var rejection = rejection
    do throws(EBPFError) {
      let program = try load(kernel, logLevel, &rejection)
      return Outcome(program: .success(program), log: rejection.log)
    } catch { return Outcome(program: .failure(error), log: rejection.log) }
  }

  private func load(
    _ kernel: any KernelInterface, _ level: UInt32, _ rejection: inout ProgramRejection
  ) throws(EBPFError) -> Program {
    var spec = spec
    let descriptor: OwnedDescriptor
    do throws(Errno) { descriptor = try rejection.load(kernel, level: level) } catch {
      guard error == .invalid, let fallback = requestWithoutAttachType else {
        throw rejection.error(error)
      }
      rejection.request = fallback
      spec.attachType = AttachType(rawValue: 0)
      do throws(Errno) { descriptor = try rejection.load(kernel, level: level) } catch {
        throw rejection.error(error)
      }
    }
    bindConstants(to: descriptor.rawValue, kernel)
    let information: ProgramInformation
    do throws(Errno) {
      information = try kernel.programInformation(descriptor.rawValue, details: [])
    } catch { throw EBPFError.describing("program '\(spec.name)'", error) }
    return Program(
      descriptor, spec: spec, information: information, kernel: kernel, attachments: attachments)
  }

  /// Some programs only name their attach type for newer kernels' sake.
  private var requestWithoutAttachType: ProgramRequest? {
    guard rejection.request.attachType != 0,
      SectionName(spec.sectionName).row?.flags.contains(.attachTypeOptional) == true
    else { return nil }
    var request = rejection.request
    request.attachType = 0
    return request
  }

  /// Ties constants to the program, so that `bpftool` finds them; kernels before 5.10 do without.
  private func bindConstants(to program: Int32, _ kernel: any KernelInterface) {
    for map in constants {
      do throws(Errno) { try kernel.bind(map: map.fileDescriptor, to: program) } catch { return }
    }
  }
}

// MARK: - Side by side

extension ProgramAttempt {
  /// Threads that load at once, at most.
  private static let mostThreads = 4

  /// Makes the attempts, several at once where there are several CPUs: the verifier works on the programs
  /// of a privileged process side by side (`bpf_check` in `kernel/bpf/verifier.c`).
  ///
  /// They are begun in order, and none after one has failed: there are as many outcomes as attempts, or
  /// one of them is a failure and the last ones are missing.
  static func run(
    _ attempts: [ProgramAttempt], kernel: any KernelInterface, logLevel: UInt32
  ) -> [Outcome] {
    let queue = Queue(attempts, kernel: kernel, logLevel: logLevel)
    var threads = min(attempts.count, mostThreads)
    if threads > 1 {
      do throws(Errno) { threads = min(threads, try CPUSet.online().cpus.count) } catch {
        threads = 1  // Without sysfs: one by one.
      }
    }
    work(on: queue, threads: threads)
    return queue.outcomes
  }

  private static func work(on queue: Queue, threads: Int) {
    guard threads > 1 else { return queue.work() }
    do throws(Errno) {
      let helper = try Thread.Companion { queue.work() }
      withExtendedLifetime(helper) { work(on: queue, threads: threads - 1) }
    } catch {
      queue.work()  // No more threads can be had.
    }
  }

  private final class Queue: Sendable {
    private struct State {
      var next = 0
      var hasFailed = false
      var outcomes: [Int: Outcome] = [:]
    }

    private let attempts: [ProgramAttempt]
    private let kernel: any KernelInterface
    private let logLevel: UInt32
    private let state = Mutex(State())

    init(_ attempts: [ProgramAttempt], kernel: any KernelInterface, logLevel: UInt32) {
      self.attempts = attempts
      self.kernel = kernel
      self.logLevel = logLevel
    }

    var outcomes: [Outcome] {
      state.withLock { state in attempts.indices.compactMap { state.outcomes[$0] } }
    }

    /// Makes attempts until there are no more.
    func work() {
      while let index = take() {
        let outcome = attempts[index].run(kernel, logLevel: logLevel)
        state.withLock { state in
          state.outcomes[index] = outcome
          if case .failure = outcome.program { state.hasFailed = true }
        }
      }
    }

    private func take() -> Int? {
      state.withLock { state in
        guard !state.hasFailed, state.next < attempts.count else { return nil }
        defer { state.next += 1 }
        return state.next
      }
    }
  }
}
