import EBPF
import TestSupport

/// One of the three fixtures that count the system calls of a process (`syscall_counts.h`).
struct SyscallCounts {
  let object: LoadedObject

  init(_ fixture: String) throws {
    object = try LoadedObject(ObjectFile(parsing: Fixtures.bytes(fixture), name: fixture))
  }

  /// Totals: enters, exits, errors.
  func totals() throws -> [UInt64] {
    let totals = try object.map("totals", key: UInt32.self, value: UInt64.self)
    return try (0..<3).map { try totals.value(for: UInt32($0)) ?? .max }
  }

  /// How often a system call was entered, on all CPUs.
  func enters(_ number: UInt32) throws -> UInt64 {
    try PerCPUMap<UInt32, UInt64>(object.map("enters")).values(for: number)?.reduce(0, +) ?? .max
  }

  /// How often a call failed with an errno, on all CPUs.
  func errors(_ number: UInt32) throws -> UInt64 {
    try PerCPUMap<UInt32, UInt64>(object.map("errors")).values(for: number)?.reduce(0, +) ?? .max
  }
}
