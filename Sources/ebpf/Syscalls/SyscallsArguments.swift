import ArgumentParser
import EBPF
import EBPFTracers

/// What the rows of the table are.
enum SyscallsGrouping: String, ExpressibleByArgument, CaseIterable {
  case syscall, process, cgroup, errno
}

/// An errno by name or number.
struct ErrnoArgument: ExpressibleByArgument {
  let number: Int32

  init?(argument: String) {
    guard let number = SyscallErrno.number(of: argument) else { return nil }
    self.number = number
  }
}

/// A time with a unit: `500us`, `10ms`, `1.5s`; a bare number is milliseconds.
struct TimeArgument: ExpressibleByArgument {
  let nanoseconds: UInt64

  init?(argument: String) {
    let units: [(String, Double)] = [("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)]
    var number = Substring(argument)
    var scale = 1e6
    if let unit = units.first(where: { argument.hasSuffix($0.0) }) {
      number = number.dropLast(unit.0.count)
      scale = unit.1
    }
    guard let value = Double(number), value >= 0, value * scale < 1e18 else { return nil }
    nanoseconds = UInt64((value * scale).rounded())
  }
}
