internal import CDemangle

/// The demanglers of the Swift and C++ runtimes, which are part of every Swift program.
///
/// They take any input, but not any input in reasonable time: ask ``MangledGrowth`` first.
enum RuntimeDemangler {
  /// The longest name for people that is worth having.
  static let longestResult = 32_768

  static func swift(_ name: [UInt8]) -> String? {
    unsafe call(name) { unsafe cdemangle_swift($0, name.count, $1, longestResult) }
  }

  static func cxx(_ name: [UInt8]) -> String? {
    unsafe call(name) { unsafe cdemangle_cxx($0, $1, longestResult) }
  }

  private static func call(
    _ name: [UInt8],
    _ body: (UnsafePointer<CChar>, UnsafeMutablePointer<CChar>) -> Int64
  ) -> String? {
    guard !name.contains(0) else { return nil }
    let input = name.map { CChar(bitPattern: $0) } + [0]
    var length: Int64 = -1
    // SAFETY: the C functions read up to the final zero, write at most `longestResult` bytes, and
    // report how many; a buffer that is not empty has a base address.
    let output = unsafe [UInt8](unsafeUninitializedCapacity: longestResult) { buffer, count in
      unsafe buffer.withMemoryRebound(to: CChar.self) { output in
        unsafe input.withUnsafeBufferPointer { input in
          guard let input = input.baseAddress, let output = output.baseAddress else { return }
          length = unsafe body(input, output)
        }
      }
      count = max(0, Int(length))
    }
    return length < 0 ? nil : String(decoding: output, as: UTF8.self)
  }
}
