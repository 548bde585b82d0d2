internal import EBPFSystem

extension Errno {
  /// The record of this refusal, for an error.
  func failure(of call: String) -> EBPFError.SystemCallFailure {
    EBPFError.SystemCallFailure(call: call, errno: rawValue, name: name)
  }
}
