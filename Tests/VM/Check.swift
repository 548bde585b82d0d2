import EBPF
import EBPFSystem
import Glibc

/// One thing that has to hold.
struct Check: Sendable {
  /// It, as a sentence.
  let name: String
  /// Throws where it does not.
  let body: @Sendable () throws -> Void

  init(_ name: String, _ body: @escaping @Sendable () throws -> Void) {
    self.name = name
    self.body = body
  }
}

/// Why a check does not hold.
struct Unmet: Error, CustomStringConvertible {
  let description: String
}

func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
  if !condition { throw Unmet(description: reason()) }
}

func require<Value>(_ value: Value?, _ reason: @autoclosure () -> String) throws -> Value {
  guard let value else { throw Unmet(description: reason()) }
  return value
}

func equal<Value: Equatable>(
  _ actual: Value, _ expected: Value, _ what: @autoclosure () -> String
) throws {
  if actual != expected {
    throw Unmet(description: "\(what()): \(actual), expected \(expected)")
  }
}

/// Waits until a condition holds that the kernel brings about by itself.
func eventually(_ what: String, _ condition: () throws -> Bool) throws {
  let deadline = Clock.monotonic.now + 10_000_000_000
  while try !condition() {
    try require(Clock.monotonic.now < deadline, "not within 10 s: \(what)")
    sched_yield()
  }
}

/// The error that `body` has to end with.
func refusal(_ body: () throws -> Void) throws -> EBPFError {
  do { try body() } catch let error as EBPFError { return error }
  throw Unmet(description: "nothing was refused")
}

/// What a reader and a program see of an error, compared in one go.
func equal(
  _ error: EBPFError, _ code: EBPFError.Code, _ message: String, errno: String? = nil,
  hint: String? = nil
) throws {
  try equal(error.message, message, "the message of \(error)")
  try equal(error.code, code, "the code of \(error)")
  try equal(error.systemCall?.name, errno, "the errno of \(error)")
  if let hint { try equal(error.hint, hint, "the hint of \(error)") }
}
