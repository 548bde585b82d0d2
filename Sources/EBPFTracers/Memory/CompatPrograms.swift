internal import EBPF
internal import EBPFSystem

/// 32-bit programs, whose system calls the kernel's tracepoints of single calls leave out.
enum CompatPrograms {
  /// True when one of some processes runs one, or any process at all when `processes` is empty. Those
  /// whose program may not be read do not count.
  static func run(among processes: Set<Int32>) -> Bool {
    guard processes.isEmpty else { return processes.contains { isOne("/proc/\($0)/exe") } }
    do throws(Errno) {
      return try FileSystem.entries("/proc").contains { entry in
        Int32(entry) != nil && isOne("/proc/\(entry)/exe")
      }
    } catch { return false }
  }

  /// True when a file is one: by its ELF class, the fifth byte of its header (elf(5)).
  static func isOne(_ path: String) -> Bool {
    do throws(Errno) {
      let file = try SystemFile.open(path)
      return try SystemFile.beginning(file, count: 5) == [0x7F, 0x45, 0x4C, 0x46, 1]
    } catch { return false }
  }
}
