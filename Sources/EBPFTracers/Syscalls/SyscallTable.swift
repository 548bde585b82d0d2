/// The system calls of one ABI: numbers and names, both ways.
public struct SyscallTable: Sendable {
  /// 64-bit calls on x86 (`arch/x86/entry/syscalls/syscall_64.tbl`).
  public static let x86_64 = SyscallTable(SyscallTables.x86_64)
  /// 32-bit calls on x86 (`syscall_32.tbl`).
  public static let i386 = SyscallTable(SyscallTables.i386)
  /// 64-bit calls on ARM (`include/uapi/asm-generic/unistd.h`).
  public static let aarch64 = SyscallTable(SyscallTables.aarch64)

  /// The calls of this machine's own programs.
  public static var host: SyscallTable {
    #if arch(arm64)
      aarch64
    #else
      x86_64
    #endif
  }

  /// The calls of 32-bit programs on this machine; empty where their names are not known.
  public static var hostCompat: SyscallTable {
    #if arch(x86_64)
      i386
    #else
      none
    #endif
  }

  private static let none = SyscallTable("")

  /// Every name, in order of the numbers.
  public let names: [String]
  private let numbers: [String: UInt32]
  private let byNumber: [UInt32: String]

  private init(_ text: String) {
    var names: [String] = []
    var numbers: [String: UInt32] = [:]
    var byNumber: [UInt32: String] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2, let number = UInt32(words[0]) else {
        preconditionFailure("a generated line is no call: \(line)")
      }
      let name = String(words[1])
      names.append(name)
      numbers[name] = number
      byNumber[number] = name
    }
    self.names = names
    self.numbers = numbers
    self.byNumber = byNumber
  }

  /// The name of a number; nil for numbers this version does not know.
  public func name(of number: UInt32) -> String? { byNumber[number] }

  /// The number of a name; nil when this ABI has no such call.
  public func number(of name: String) -> UInt32? { numbers[name] }
}
