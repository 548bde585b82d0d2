/// Where a function is best probed: at its entry, or a few instructions later where the kernel need
/// not step through an instruction.
///
/// A probe replaces an instruction. The kernel emulates some (`push`, relative jumps, one-byte `nop`:
/// arch/x86/kernel/uprobes.c, `push_setup_xol_ops` and `branch_setup_xol_ops`); any other it executes
/// out of line in single-step mode, which costs several times as much. So instructions that leave the
/// arguments alone and that every call executes are walked over to the first that is emulated.
enum CheapEntry {
  /// Bytes from the function's start to the cheap place; 0 when there is none, or when the entry is
  /// as good.
  ///
  /// - Parameter code: the function's first bytes, x86_64.
  static func offset(in code: [UInt8]) -> Int {
    var offset = 0
    // More instructions would hardly still be a prologue.
    for _ in 0..<4 {
      let rest = code[offset...]
      if isEmulated(rest) { return offset }
      guard let length = harmlessLength(rest) else { return 0 }
      offset += length
    }
    return 0
  }

  /// True for what every kernel since 5.8 emulates.
  private static func isEmulated(_ code: ArraySlice<UInt8>) -> Bool {
    guard let first = code.first else { return false }
    switch first {
    case 0x50...0x57: return true  // push %rax … %rdi
    case 0x41:  // push %r8 … %r15
      return code.dropFirst().first.map { (0x50...0x57).contains($0) } ?? false
    case 0x70...0x7f, 0xeb, 0xe9, 0x90: return true  // jcc, jmp, nop
    case 0x0f: return code.dropFirst().first.map { (0x80...0x8f).contains($0) } ?? false  // jcc
    default: return false
    }
  }

  /// The length of an instruction that changes neither an argument nor the flow of control.
  private static func harmlessLength(_ code: ArraySlice<UInt8>) -> Int? {
    let known: [[UInt8]] = [
      [0xf3, 0x0f, 0x1e, 0xfa],  // endbr64
      [0x48, 0x85, 0xff],  // test %rdi,%rdi
      [0x66, 0x90],  // nop
      [0x0f, 0x1f, 0x00],  // nopl (%rax)
      [0x0f, 0x1f, 0x40, 0x00],  // nopl 0(%rax)
      [0x0f, 0x1f, 0x44, 0x00, 0x00],  // nopl 0(%rax,%rax,1)
    ]
    for bytes in known where code.starts(with: bytes) { return bytes.count }
    return code.starts(with: [0x48, 0x83, 0xec]) && code.count >= 4 ? 4 : nil  // sub $…,%rsp
  }
}
