public import EBPF
public import EBPFSystem

/// Follows TCP connections from connect or accept to close, and counts datagrams by socket.
///
/// Nothing runs for a TCP segment: figures are the kernel's own, read when a connection changes its
/// state, and from all that live when ``activity()`` or ``stop()`` asks. Connections that are open
/// at the start are included. Needs Linux 5.12 with BTF, CAP_BPF and CAP_PERFMON (or root); not
/// CAP_NET_ADMIN. All methods may be called from any thread.
///
/// ```swift
/// let tracer = NetworkTracer()
/// try tracer.start()
/// …
/// for connection in try tracer.stop().connections { print(connection.remote) }
/// ```
public final class NetworkTracer: Tracer {
  /// What is recorded.
  public let configuration: NetworkTracerConfiguration
  private let kernel: any KernelInterface
  private let listener: (@Sendable ([NetworkEvent]) -> Void)?
  private let life = TracerLifeCycle<NetworkSession>()

  /// Creates a tracer; nothing is loaded before ``start()``.
  ///
  /// - Parameters:
  ///   - configuration: what is recorded.
  ///   - kernel: the running one.
  ///   - listener: told of events as they happen, of those that arrived together at once, on a thread of
  ///     the tracer's; it should be quick, and must not call the tracer.
  public init(
    _ configuration: NetworkTracerConfiguration = NetworkTracerConfiguration(),
    kernel: any KernelInterface = LiveKernel(),
    listener: (@Sendable ([NetworkEvent]) -> Void)? = nil
  ) {
    self.configuration = configuration
    self.kernel = kernel
    self.listener = listener
  }

  /// Loads the programs, attaches them, and takes in the connections that are there.
  public func start() throws(EBPFError) { try start(sharing: nil) }

  func start(sharing lists: ProcessLists?) throws(EBPFError) {
    guard configuration.connectionCapacity > 0 else {
      throw EBPFError(
        .invalidArgument, "cannot follow connections without room for one",
        hint: "set connectionCapacity to how many can be alive at the same time")
    }
    try life.start { () throws(EBPFError) in
      try NetworkSession(configuration, lists: lists, kernel: kernel, listener: listener)
    }
  }

  /// Records nothing until ``resume()``. What connections transfer meanwhile is not in the result;
  /// those that begin meanwhile and still live at the end of the pause are taken as existing.
  public func pause() throws(EBPFError) { try life.pause() }

  /// Records again.
  public func resume() throws(EBPFError) { try life.resume() }

  /// Detaches and returns everything.
  public func stop() throws(EBPFError) -> NetworkActivity { try life.stop() }

  /// Everything so far, with the present figures of the connections that live.
  public func activity() throws(EBPFError) -> NetworkActivity {
    try life.withSession("look at") { (session) throws(EBPFError) in try session.activity() }
  }

  /// Changes whose connections and datagrams are recorded. Connections that are being followed
  /// stay; the filter decides about those that begin from now on.
  public func setFilter(_ filter: TracerFilter) throws(EBPFError) {
    try life.withSession("filter") { (session) throws(EBPFError) in
      try session.setFilter(filter)
    }
  }

  /// What was recorded and lost so far; all zero before start and after stop.
  public func statistics() throws(EBPFError) -> TracerStatistics { try life.statistics() }

  /// What the tracer has cost so far; refused before start and after stop.
  public func overhead() throws(EBPFError) -> TracerOverhead { try life.overhead() }

  /// Time the kernel spent in the tracer's programs so far; refused before start and after stop.
  public func kernelNanoseconds() throws(EBPFError) -> UInt64? { try life.kernelNanoseconds() }

  /// True between ``pause()`` and ``resume()``.
  public var isPaused: Bool { life.isPaused }

  /// Counts one datagram call and one dropped packet in so many, from now on, each for as many.
  ///
  /// Connections and DNS messages are always followed: nothing runs for their segments, and one
  /// message is nothing without the other. While suspended nothing is recorded, as while paused, and
  /// what runs for each datagram or packet is not attached.
  public func economize(_ economy: TracerEconomy) throws(EBPFError) { try life.economize(economy) }
}
