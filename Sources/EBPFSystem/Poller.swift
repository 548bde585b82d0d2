internal import CEBPF
internal import Synchronization

/// One epoll that calls a handler whenever its descriptor is ready: rings, timers, signals.
///
/// Handlers run one after the other, on the thread that calls ``run()``, or on the poller's own
/// thread after ``start()``. They must not block.
public final class Poller: Sendable {
  /// What a handler is called for.
  public enum Readiness: Sendable, Hashable {
    /// As long as there is something to read.
    case level
    /// Once, until ``rearm(_:)``.
    case once
  }

  /// A descriptor being watched.
  public struct Registration: Sendable, Hashable {
    fileprivate let id: UInt64
    fileprivate let descriptor: Int32
    fileprivate let readiness: Readiness
  }

  private struct Watched {
    var handler: @Sendable () -> Void
    /// A timer's or signal's descriptor, which lives as long as its registration.
    var owned: DescriptorBox?
  }

  private struct State {
    var watched: [UInt64: Watched] = [:]
    var nextID: UInt64 = 1
    var isRunning = false
  }

  private let pace: UInt64
  private let epoll: OwnedDescriptor
  private let stopper: OwnedDescriptor
  private let state = Mutex(State())
  /// Held while a handler runs, so that ``remove(_:)`` can wait for its end.
  private let running = Mutex(())
  private let thread = Atomic<Int32>(0)
  private let stopRequested = Atomic<Bool>(false)

  /// Creates a poller that does nothing yet.
  ///
  /// - Parameter pace: the shortest time from one turn to the next, in nanoseconds: what becomes ready
  ///   meanwhile is handled together. Waking up for each of many events costs several times what
  ///   handling one does.
  public init(pace: UInt64 = 0) throws(Errno) {
    self.pace = pace
    let epoll = OwnedDescriptor(owning: try Errno.check(cebpf_epoll_create()))
    let stopper = OwnedDescriptor(owning: try Errno.check(cebpf_event_descriptor()))
    _ = try Errno.check(
      cebpf_epoll_add(epoll.rawValue, stopper.rawValue, Poller.readable, 0))
    self.epoll = epoll
    self.stopper = stopper
  }

  /// The one that asynchronous readers share; its thread runs from the first use to the end of the
  /// process.
  public static func shared() throws(Errno) -> Poller { try sharedResult.get() }

  private static let sharedResult = Result { () throws(Errno) in
    let poller = try Poller()
    try poller.start()
    return poller
  }

  private static let readable: UInt32 = 0x001  // EPOLLIN
  private static let oneShot: UInt32 = 1 << 30  // EPOLLONESHOT

  private static func events(_ readiness: Readiness) -> UInt32 {
    readiness == .once ? readable | oneShot : readable
  }

  // MARK: Watching

  /// Calls `handler` when `descriptor` can be read. The descriptor must stay open until ``remove(_:)``.
  public func add(
    _ descriptor: Int32, readiness: Readiness = .level, handler: @escaping @Sendable () -> Void
  ) throws(Errno) -> Registration {
    try add(descriptor, readiness, Watched(handler: handler, owned: nil))
  }

  private func add(
    _ descriptor: Int32, _ readiness: Readiness, _ watched: Watched
  ) throws(Errno) -> Registration {
    let id = state.withLock { state in
      let id = state.nextID
      state.nextID += 1
      state.watched[id] = watched
      return id
    }
    do throws(Errno) {
      _ = try Errno.check(
        cebpf_epoll_add(epoll.rawValue, descriptor, Poller.events(readiness), id))
    } catch {
      state.withLock { _ = $0.watched.removeValue(forKey: id) }
      throw error
    }
    return Registration(id: id, descriptor: descriptor, readiness: readiness)
  }

  /// Waits for the next readiness of a descriptor that was added with ``Readiness/once``. What is
  /// ready already counts.
  public func rearm(_ registration: Registration) throws(Errno) {
    _ = try Errno.check(
      cebpf_epoll_change(
        epoll.rawValue, registration.descriptor, Poller.events(registration.readiness),
        registration.id))
  }

  /// Stops watching. When this returns, the handler is not running and will not run again, except
  /// when a handler removes itself. Twice is fine.
  public func remove(_ registration: Registration) {
    let watched = state.withLock { $0.watched.removeValue(forKey: registration.id) }
    guard watched != nil else { return }
    // The descriptor may have been closed, which removed it; there is nothing to do about that.
    _ = cebpf_epoll_remove(epoll.rawValue, registration.descriptor)
    if thread.load(ordering: .acquiring) != CurrentProcess.threadID { running.withLock { _ in } }
  }

  /// Calls `handler` after `nanoseconds`, and every `nanoseconds` from then on if it repeats.
  public func addTimer(
    nanoseconds: UInt64, repeats: Bool = true, handler: @escaping @Sendable () -> Void
  ) throws(Errno) -> Registration {
    let timer = OwnedDescriptor(owning: try Errno.check(cebpf_timer_descriptor()))
    _ = try Errno.check(cebpf_timer_set(timer.rawValue, max(nanoseconds, 1), repeats ? 1 : 0))
    let number = timer.rawValue
    let watched = Watched(
      handler: {
        // Without reading it, the timer would be ready for ever; EAGAIN means it was re-set.
        var expirations: UInt64 = 0
        _ = unsafe cebpf_read(number, &expirations, 8)
        handler()
      }, owned: DescriptorBox(timer))
    return try add(number, .level, watched)
  }

  /// Calls `handler` after each ``Wake/send()``, once for several that come before it.
  public func addWake(handler: @escaping @Sendable () -> Void) throws(Errno) -> Wake {
    let event = OwnedDescriptor(owning: try Errno.check(cebpf_event_descriptor()))
    let number = event.rawValue
    let box = DescriptorBox(event)
    let watched = Watched(
      handler: {
        // EAGAIN: another turn has taken the count.
        var count: UInt64 = 0
        _ = unsafe cebpf_read(number, &count, 8)
        handler()
      }, owned: box)
    _ = try add(number, .level, watched)
    return Wake(descriptor: box)
  }

  /// Has a poller call a handler, from any thread.
  public struct Wake: Sendable {
    fileprivate let descriptor: DescriptorBox

    /// Asks for a call of the handler.
    public func send() {
      var one: UInt64 = 1
      // EAGAIN would mean that the counter is at its limit: the call is due anyway.
      _ = unsafe cebpf_write(descriptor.descriptor.rawValue, &one, 8)
    }
  }

  /// Calls `handler` with the number of each of these signals that arrives, instead of their default
  /// action. Call it before other threads start: they inherit that the signals are blocked.
  public func addSignals(
    _ signals: [Int32], handler: @escaping @Sendable (Int32) -> Void
  ) throws(Errno) -> Registration {
    let result = unsafe signals.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return -Errno.invalid.rawValue }
      return unsafe cebpf_signal_descriptor(start, buffer.count)
    }
    let descriptor = OwnedDescriptor(owning: try Errno.check(result))
    let number = descriptor.rawValue
    let watched = Watched(
      handler: {
        let signal = cebpf_signal_read(number)
        if signal > 0 { handler(signal) }
      }, owned: DescriptorBox(descriptor))
    return try add(number, .level, watched)
  }

  // MARK: Running

  /// Handles events on the calling thread until ``stop()``.
  public func run() throws(Errno) {
    precondition(claim(), "this poller is running already")
    try loop()
  }

  /// Handles events on a thread of its own until ``stop()``. An urgent one runs before other threads
  /// as far as the system allows it; its handlers should be quick.
  public func start(isUrgent: Bool = false) throws(Errno) {
    precondition(claim(), "this poller is running already")
    do throws(Errno) {
      try Thread.detach { [self] in
        // What a container refuses only makes it later.
        if isUrgent { _ = cebpf_make_thread_urgent() }
        // Interruptions are handled; what is left (EBADF, EFAULT, EINVAL) is a mistake of our own.
        do throws(Errno) { try loop() } catch { fatalError("epoll_wait failed: \(error)") }
      }
    } catch {
      state.withLock { $0.isRunning = false }
      throw error
    }
  }

  private func claim() -> Bool {
    state.withLock { state in
      defer { state.isRunning = true }
      return !state.isRunning
    }
  }

  /// Makes the loop end after the handler it is in. May be called from handlers and from any thread;
  /// before the loop has begun, it ends at once.
  public func stop() {
    stopRequested.store(true, ordering: .releasing)
    var one: UInt64 = 1
    // EAGAIN would mean that the counter is at its limit, so the loop wakes up anyway.
    _ = unsafe cebpf_write(stopper.rawValue, &one, 8)
  }

  private func loop() throws(Errno) {
    thread.store(CurrentProcess.threadID, ordering: .releasing)
    defer {
      thread.store(0, ordering: .releasing)
      stopRequested.store(false, ordering: .releasing)
      state.withLock { $0.isRunning = false }
    }
    let capacity = Int(CEBPF_EVENTS_AT_ONCE)
    var events = [cebpf_event](repeating: cebpf_event(), count: capacity)
    while !stopRequested.load(ordering: .acquiring) {
      let count: Int32
      do throws(Errno) { count = try wait(&events) } catch {
        if error == .interrupted { continue }
        throw error
      }
      let begin = pace == 0 ? 0 : Clock.monotonic.now
      for event in events.prefix(Int(count)) {
        if stopRequested.load(ordering: .acquiring) { break }
        running.withLock { _ in
          // Looked up under the lock: removed means never called again.
          let handler = state.withLock { $0.watched[event.data]?.handler }
          handler?()
        }
      }
      if pace > 0, !stopRequested.load(ordering: .acquiring) {
        let spent = Clock.monotonic.now &- begin
        if spent < pace { cebpf_sleep(pace - spent) }
      }
    }
    var counter: UInt64 = 0
    _ = unsafe cebpf_read(stopper.rawValue, &counter, 8)
  }

  private func wait(_ events: inout [cebpf_event]) throws(Errno) -> Int32 {
    let number = epoll.rawValue
    return try Errno.check(
      unsafe events.withUnsafeMutableBufferPointer { buffer in
        // SAFETY: the array is never empty, and as long as it says.
        unsafe cebpf_epoll_wait(
          number, buffer.baseAddress.unsafelyUnwrapped, Int32(clamping: buffer.count), -1)
      })
  }
}

/// A descriptor that several values refer to.
final class DescriptorBox: Sendable {
  let descriptor: OwnedDescriptor
  init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
}
