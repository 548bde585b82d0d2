internal import EBPF

/// A system call by number and ABI.
public struct Syscall: Sendable, Hashable {
  /// The number in its ABI.
  public let number: UInt32
  /// A call of a 32-bit program, whose numbers are others.
  public let isCompat: Bool

  /// A call by number.
  public init(number: UInt32, isCompat: Bool = false) {
    self.number = number
    self.isCompat = isCompat
  }

  /// The name in the tables of this machine, such as `openat`; `syscall_999` without one.
  public var name: String {
    let table = isCompat ? SyscallTable.hostCompat : SyscallTable.host
    return table.name(of: number) ?? "syscall_\(number)"
  }

  /// The name, marked when it is a 32-bit call: `openat [32]`.
  public var label: String { isCompat ? name + " [32]" : name }
}

extension Syscall: Comparable {
  /// By ABI, then by number.
  public static func < (left: Syscall, right: Syscall) -> Bool {
    (left.isCompat ? 1 : 0, left.number) < (right.isCompat ? 1 : 0, right.number)
  }
}

extension Syscall {
  /// `CALL_COMPAT` of syscall_events.h.
  static let compatBit: UInt32 = 1 << 31
  /// `CALL_SLOTS_OF_ABI`.
  static let slotsOfABI: UInt32 = 512
  /// `CALL_SLOT_OTHER`: calls whose number is out of range.
  static let otherSlot: UInt32 = 1024

  /// As programs write it.
  init(word: UInt32) {
    self.init(number: word & ~Syscall.compatBit, isCompat: word & Syscall.compatBit != 0)
  }

  /// The call that is counted in a slot; nil for the slot of all others.
  init?(slot: UInt32) {
    guard slot < Syscall.otherSlot else { return nil }
    self.init(number: slot % Syscall.slotsOfABI, isCompat: slot >= Syscall.slotsOfABI)
  }

  /// Where it is counted.
  var slot: UInt32 {
    guard number < Syscall.slotsOfABI else { return Syscall.otherSlot }
    return number + (isCompat ? Syscall.slotsOfABI : 0)
  }

  /// `exit` and `exit_group`: they never return.
  package var neverReturns: Bool { name == "exit" || name == "exit_group" }

  /// Calls that a new thread returns from with 0, although another thread entered them.
  var startsThread: Bool { ["clone", "clone3", "fork", "vfork"].contains(name) }
}
