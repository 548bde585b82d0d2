/// What libFuzzer hands over, as the parsers take it.
enum FuzzInput {
  /// Runs `body` on a copy of the input; a thrown error is a right answer, a trap is not.
  static func run(
    _ start: UnsafePointer<UInt8>?, _ count: Int, _ body: (Bytes) throws(EBPFError) -> Void
  ) -> Int32 {
    let input = unsafe [UInt8](UnsafeBufferPointer(start: start, count: start == nil ? 0 : count))
    do throws(EBPFError) { try body(Bytes(input)) } catch {
      precondition(!error.message.isEmpty)
    }
    return 0
  }
}

extension FuzzInput {
  /// Runs one step; an error in it must not hide what the next step would do.
  static func attempt(_ step: () throws(EBPFError) -> Void) {
    do throws(EBPFError) { try step() } catch { precondition(!error.message.isEmpty) }
  }
}
