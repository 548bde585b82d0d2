import EBPF
import EBPFTracers
import TestSupport
import Testing

@Suite struct SyscallSelectionTests {
  @Test func `the first allowed name makes a list, and it stays one`() throws {
    var selection = SyscallSelection()
    #expect(selection.isEverything)
    try selection.set("futex", enabled: false)
    #expect(!selection.isAllowList && selection.denied == ["futex"])
    try selection.set("openat", enabled: true)
    #expect(selection.isAllowList && selection.allowed == ["openat"])
    try selection.set("openat", enabled: false)
    #expect(selection.isAllowList && selection.allowed.isEmpty)
    #expect(selection.denied == ["futex", "openat"])
    selection.clear()
    #expect(selection.isEverything)
  }

  @Test func `a list is read as the command takes it`() throws {
    let selection = try SyscallSelection(parsing: "openat, read,!close")
    #expect(selection.allowed == ["openat", "read"] && selection.denied == ["close"])
    #expect(try SyscallSelection(parsing: "").isEverything)
  }

  static let mistakes: [(String, String)] = [
    ("opennat", "did you mean 'openat' or 'openat2'?"),
    ("fopen", "that is a function of the C library, which calls 'openat'"),
    ("usleep", "that is a function of the C library, which calls 'clock_nanosleep'"),
    ("", "the names are those of section 2 of the manual, without a library's prefix"),
  ]

  @Test(arguments: mistakes)
  func `an unknown name is an error that says what it could have been`(
    name: String, hint: String
  ) throws {
    var selection = SyscallSelection()
    let error = #expect(throws: EBPFError.self) { try selection.set(name, enabled: true) }
    #expect(error?.code == .invalidArgument)
    #expect(error?.message == "there is no system call '\(name)'")
    #if arch(x86_64)
      #expect(error?.hint == hint)
    #endif
    #expect(selection.isEverything)
  }

  @Test func `open explains what programs really call`() throws {
    let advice = try #require(SyscallSelection.advice(for: "open"))
    #expect(advice.hasPrefix("glibc's open() calls openat"))
    #expect(SyscallSelection.advice(for: "openat") == nil)
  }

  @Test func `the tables are those of the C library's headers`() throws {
    let source = """
      #include <stdio.h>
      #include <asm/unistd.h>
      int main(void) {
      #define SHOW(name) printf("%d " #name "\\n", __NR_##name);
        SHOW(read) SHOW(openat) SHOW(clone) SHOW(execve) SHOW(exit_group) SHOW(futex) SHOW(mmap)
        SHOW(newfstatat) SHOW(getppid) SHOW(close) SHOW(bpf) SHOW(clone3) SHOW(futex_waitv)
      }
      """
    let oracle = try Oracle.build(name: "syscall_numbers", source: source, libraries: [])
    for line in try Command.output([oracle]).split(separator: "\n") {
      let words = line.split(separator: " ")
      let number = try #require(UInt32(words[0]))
      #expect(SyscallTable.host.name(of: number) == String(words[1]))
      #expect(SyscallTable.host.number(of: String(words[1])) == number)
    }
    for table in [SyscallTable.x86_64, .aarch64, .i386] {
      #expect(table.number(of: "file_setattr") == 469)
      #expect(Set(table.names).count == table.names.count)
    }
    #expect(SyscallTable.aarch64.number(of: "openat") == 56)
    #expect(SyscallTable.aarch64.number(of: "open") == nil)
    #expect(SyscallTable.i386.number(of: "getppid") == 64)
  }

  @Test func `errnos have names, and names have numbers`() {
    #expect(SyscallErrno.number(of: "ENOENT") == 2 && SyscallErrno.number(of: "enoent") == 2)
    #expect(SyscallErrno.number(of: "EWOULDBLOCK") == 11 && SyscallErrno.number(of: "11") == 11)
    #expect(SyscallErrno.number(of: "ENOSUCH") == nil && SyscallErrno.number(of: "0") == nil)
    #expect(SyscallErrno.number(of: "4096") == nil)
    #expect(SyscallErrno.name(512) == "ERESTARTSYS")
  }
}

@Suite struct SyscallHistogramTests {
  @Test func `buckets follow each other without gaps, none wider than a quarter`() {
    var end: UInt64 = 0
    for bucket in 0..<SyscallHistogram.bucketCount {
      let bounds = SyscallHistogram.bounds(bucket)
      #expect(bounds.lowerBound == end, "\(bucket)")
      #expect(SyscallHistogram.bucket(bounds.lowerBound) == bucket)
      #expect(SyscallHistogram.bucket(bounds.upperBound - 1) == bucket)
      if bucket > 0, bucket < SyscallHistogram.bucketCount - 1 {
        #expect(bounds.upperBound - bounds.lowerBound <= bounds.lowerBound / 4)
      }
      end = bounds.upperBound
    }
    #expect(end == .max)
    #expect(SyscallHistogram().quantile(0.5) == nil)
    #expect(SyscallHistogram().powers.isEmpty)
  }
}
