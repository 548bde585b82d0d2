/// How one need of a tracer is met on this kernel.
public struct TracerHook: Sendable, Hashable {
  /// A way that was tried first and refused.
  public struct Refusal: Sendable, Hashable {
    /// The hook.
    public var hook: String
    /// Why it could not be used.
    public var why: String
    /// Creates a refusal.
    public init(hook: String, why: String) {
      self.hook = hook
      self.why = why
    }
  }

  /// What is needed: `sampling`, `process start`.
  public var need: String
  /// The hook in use.
  public var used: String
  /// Better ones that were refused, best first.
  public var refused: [Refusal]

  /// Creates a hook.
  public init(need: String, used: String, refused: [Refusal] = []) {
    self.need = need
    self.used = used
    self.refused = refused
  }
}
