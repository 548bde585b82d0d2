public import EBPFObject
import EBPFSystem
import Synchronization

/// Turns stacks of addresses into names: user and kernel, any number of processes at once.
///
/// Each distinct address of a file is looked up once, whatever the number of processes and stacks
/// it appears in; give it as many stacks at once as there are, since the new addresses of a file are
/// found in one pass over its symbols. A process that ends soon must be seen early: take a
/// ``snapshot(pid:)`` at its first sample, which holds its files open. All methods may be called from
/// any thread; one call works at a time.
public final class Symbolizer: Sendable {
  /// What may be chosen.
  public struct Options: Sendable, Hashable {
    /// How names are shown.
    public var demangler = Demangler()
    /// Where debug files are looked for.
    public var debugFiles = DebugFiles()
    /// The memory that open files and their indices may take, in bytes, besides the mapped pages.
    public var fileBudget = 64 << 20
    /// The number of programs in processes remembered; the least recently used are forgotten.
    public var processLimit = 4096
    /// The defaults.
    public init() {}
  }

  /// One program in one process: what `exec` puts in place of another.
  public struct Program: Sendable, Hashable {
    /// When the process was created, in nanoseconds of CLOCK_BOOTTIME; only whole clock ticks
    /// (``startUnit``) count, which is what `/proc` tells.
    public var start: UInt64
    /// Where the kernel laid the program out, which is chosen at random at each `exec`: start_code,
    /// end_code, start_stack and start_brk (fields 26, 27, 28 and 47 of `/proc/PID/stat`) as the
    /// coefficients of a polynomial in ``imageFactor``, the first at the highest power.
    ///
    /// Where addresses are not chosen at random the same program, executed again with the same
    /// arguments, counts as the same; its code is at the same addresses then.
    public var image: UInt64
    /// A clock tick, in nanoseconds.
    public static let startUnit = ProcessStatus.nanosecondsPerTick
    /// What the parts of ``image`` are multiplied by.
    public static let imageFactor: UInt64 = 0x9e37_79b9_7f4a_7c15
    /// The ``image`` of this process, and of what is forked from it until that executes a program; 0
    /// where `/proc` does not tell.
    public static func currentImage() -> UInt64 {
      do throws(Errno) {
        let status = try ProcessStatus(pid: CurrentProcess.id)
        return status.isImageHidden ? 0 : status.image
      } catch { return 0 }
    }
    /// Creates a program's identity.
    public init(start: UInt64, image: UInt64) {
      self.start = start
      self.image = image
    }
  }

  /// The user stack of one sample.
  public struct UserStack: Sendable, Hashable {
    /// The process (thread group) id; see ``Symbolizer/init(options:number:)``.
    public var pid: Int32
    /// The program that was sampled; nil for the one that the process runs now, or ran last.
    public var program: Program?
    /// The addresses, leaf first.
    public var addresses: [UInt64]
    /// Creates a stack.
    public init(pid: Int32, program: Program? = nil, addresses: [UInt64]) {
      self.pid = pid
      self.program = program
      self.addresses = addresses
    }
  }

  private let state: Mutex<SymbolizerState>
  private let number: ProcessNumber?

  /// Creates a symbolizer that knows nothing yet.
  ///
  /// - Parameter number: where process ids are those of another pid namespace than `/proc` has, what
  ///   turns one into the other.
  public init(options: Options = Options(), number: ProcessNumber? = nil) {
    self.number = number
    state = Mutex(SymbolizerState(options, number: number))
  }

  /// The number that `/proc` has for a process; nil where it has none.
  public typealias ProcessNumber = @Sendable (Int32) -> Int32?

  /// The number that `/proc` has for a process; nil where it has none.
  public func number(of pid: Int32) -> Int32? { number.map { $0(pid) } ?? pid }

  /// True while `/proc` shows a process.
  public func isThere(pid: Int32) -> Bool {
    number(of: pid).map { FileSystem.exists("/proc/\($0)") } ?? false
  }

  /// Reads a process's mappings now and holds its files open, so that its stacks can be named after
  /// it has ended or executed another program. Costs some ten microseconds for each file; cheap for a process already known.
  ///
  /// Throws `notFound` when the process has ended, `denied` when it may not be looked into.
  public func snapshot(pid: Int32) throws(EBPFError) {
    try state.withLock { (state) throws(EBPFError) in try state.snapshot(pid) }
  }

  /// The program that a process runs now, which is looked at as by ``snapshot(pid:)``; nil when the
  /// process is gone or may not be looked into.
  public func program(of pid: Int32) -> Program? {
    state.withLock { $0.program(of: pid) }
  }

  /// The code of a program that is in files, read now; empty when the process is gone or runs another.
  public func code(of program: Program, in pid: Int32) -> [CodeMapping] {
    state.withLock { $0.code(of: program, in: pid) }
  }

  /// Forgets a process, whose files may then be closed.
  public func forget(pid: Int32) {
    state.withLock { $0.programs.forget(pid) }
  }

  /// Drops debug information that had to be expanded, until a new address of its file is looked up.
  public func releaseExpanded() {
    state.withLock { $0.files.releaseExpanded() }
  }

  /// Names the addresses of user stacks; those of functions with debug information also by what was
  /// inlined there, which makes several frames of one address. Callers are looked up one byte
  /// before their return address.
  public func symbolize(_ stacks: [UserStack]) -> [[SymbolizedFrame]] {
    state.withLock { $0.symbolize(stacks) }
  }

  /// Names the addresses of one user stack, leaf first.
  public func symbolize(pid: Int32, _ addresses: [UInt64]) -> [SymbolizedFrame] {
    symbolize([UserStack(pid: pid, addresses: addresses)])[0]
  }

  /// Names the addresses of kernel stacks, each leaf first.
  public func symbolizeKernel(_ stacks: [[UInt64]]) -> [[SymbolizedFrame]] {
    state.withLock { $0.symbolizeKernel(stacks) }
  }

  /// Why kernel addresses get no names; nil when they do, or none was asked for yet.
  public var kernelError: EBPFError? { state.withLock { $0.kernel.error } }

  /// What has been counted so far.
  public var statistics: SymbolizerStatistics {
    state.withLock { state in
      var statistics = state.statistics
      statistics.files = state.files.count
      statistics.processes = state.programs.count
      statistics.kernelReads = state.kernel.reads
      return statistics
    }
  }
}
