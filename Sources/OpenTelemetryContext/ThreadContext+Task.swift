internal import COpenTelemetryContext

extension ThreadContext {
  /// Runs `body` as work on a span, in whatever threads its task runs: each publishes the span while it
  /// runs the task, and what it published before when the task awaits or ends.
  ///
  /// The same holds for the children of the task (`async let`, task groups), and not for what is not its
  /// child: `Task { }`. Scopes nest. `body` runs in the threads in which the task would have run: those of
  /// its preferred task executor, or else of the global one.
  ///
  /// Not published are the parts that are isolated to an actor, the main actor among them: the thread
  /// that works for an actor does so for every task that waits for it. Inside of actors use the scope for
  /// synchronous work. No thread ever publishes the span of another task.
  ///
  /// Costs a small task for each time the task is taken up.
  ///
  /// - Parameter attributes: as for synchronous work.
  public static func withSpan<Result, Failure: Error>(
    _ span: SpanContext, attributes: [String] = [],
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    let executor = SpanExecutor(span, attributes, over: preferredExecutor)
    return try await withTaskExecutorPreference(executor, isolation: isolation, operation: body)
  }

  /// Where the current task would run if it were at work on no span; nil for the global executor.
  private static var preferredExecutor: (any TaskExecutor)? {
    // SAFETY: the task is the current one, and holds the executor it prefers.
    let executor = unsafe withUnsafeCurrentTask { task in
      unsafe task?.unownedTaskExecutor?.asTaskExecutor()
    }
    return if let outer = executor as? SpanExecutor { outer.base } else { executor }
  }

  /// Runs the parts of a task, each in a thread that publishes the task's span meanwhile.
  @safe private final class SpanExecutor: TaskExecutor {
    // SAFETY: nobody changes the record once it is filled; it is freed with the executor, which each
    // thread that publishes it retains.
    private nonisolated(unsafe) let record: UnsafeMutablePointer<otelctx_record>
    let base: (any TaskExecutor)?

    init(_ span: SpanContext, _ attributes: [String], over base: (any TaskExecutor)?) {
      unsafe record = .allocate(capacity: 1)
      self.base = base
      unsafe ThreadContext.fill(record, span, attributes)
    }

    deinit { unsafe record.deallocate() }

    func enqueue(_ job: consuming ExecutorJob) {
      let job = UnownedJob(job)
      // Others than tasks' are the runtime's: one may run all tasks that wait for an actor.
      // SAFETY: the job is one that was not run yet.
      guard unsafe otelctx_is_task(unsafeBitCast(job, to: UnsafeRawPointer.self)) else {
        (base ?? globalConcurrentExecutor).enqueue(job)
        return
      }
      Task.detached(executorPreference: base, priority: TaskPriority(job.priority)) {
        self.run(job)
      }
    }

    private func run(_ job: UnownedJob) {
      // SAFETY: the record is filled, and not the thread's any more when this returns.
      let before = unsafe otelctx_swap(record)
      unsafe job.runSynchronously(on: asUnownedTaskExecutor())
      _ = unsafe otelctx_swap(before)
    }
  }
}
