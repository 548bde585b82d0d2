internal import CEBPF

/// What this process has used of the machine.
public struct ProcessUsage: Sendable, Hashable {
  /// Processor time of all threads, user and kernel, in nanoseconds.
  public var cpuNanoseconds: UInt64
  /// Resident memory in bytes; nil without /proc.
  public var residentBytes: UInt64?

  /// Asks the kernel now.
  public static func now() -> ProcessUsage {
    return ProcessUsage(
      cpuNanoseconds: Clock.processCPU.now, residentBytes: residentBytes())
  }

  /// Gives memory back to the kernel that is free inside this process: after much was allocated and freed, in
  /// a process that goes on for long. Takes milliseconds.
  public static func returnFreeMemory() { cebpf_return_free_memory() }

  /// Lets all threads allocate from one heap, which keeps less that is free. For a process that goes on for long
  /// and seldom allocates from two threads at once; before it has a second one.
  public static func useOneHeap() { cebpf_use_one_heap() }

  /// Prepares for at least so many bytes that will be wanted soon, so that the kernel gives them in parts of 2 MiB
  /// where they fill those; once in a process. For one that ends soon: what it frees meanwhile it keeps.
  public static func expectMemory(bytes: Int) { cebpf_expect_memory(max(bytes, 0)) }

  /// The second number of /proc/self/statm, in pages (`proc(5)`).
  private static func residentBytes() -> UInt64? {
    let text: [UInt8]
    do throws(Errno) { text = try SystemFile.read("/proc/self/statm", limit: 4096) } catch {
      return nil
    }
    let fields = text.split(separator: UInt8(ascii: " "))
    guard fields.count > 1, let pages = UInt64(String(decoding: fields[1], as: UTF8.self)) else {
      return nil
    }
    let (bytes, overflow) = pages.multipliedReportingOverflow(by: cebpf_page_size())
    return overflow ? nil : bytes
  }
}
