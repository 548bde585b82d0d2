import EBPFSystem

/// What this process has open.
enum OpenDescriptors {
  static func count() throws -> Int { try FileSystem.entries("/proc/self/fd").count }

  /// A reader that is at work when its tracer stops gives its descriptors back when it is done, so there may
  /// be more for a moment, then and before.
  static func expectNoMore(than before: Int) throws {
    try Kernel.eventually { try count() <= before }
  }
}
