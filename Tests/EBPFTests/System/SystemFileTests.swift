import EBPFObject
import EBPFSystem
import TestSupport
import Testing

@Suite struct SystemFileTests {
  @Test func `a file in proc is read to its end although its size is 0`() throws {
    let path = "/proc/self/status"
    #expect(try FileStatus(path: path).size == 0)
    #expect(try SystemFile.lines(path).contains { $0.hasPrefix("CapEff:") })
    let viaCat = try Command.run(["cat", "/proc/kallsyms"])
    #expect(try SystemFile.read("/proc/kallsyms").count == viaCat.bytes.count)
  }

  @Test func `what is longer than the limit is refused, what is as long is not`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/ten"
    _ = try Command.run(["dd", "if=/dev/zero", "of=\(path)", "bs=10", "count=1"])
    #expect(try SystemFile.read(path, limit: 10).count == 10)
    #expect(throws: Errno.fileTooLarge) { try SystemFile.read(path, limit: 9) }
    #expect(throws: Errno.fileTooLarge) { try MappedFile.open(path, limit: 9) }
    #expect(try MappedFile.open(path, limit: 10).count == 10)
  }

  @Test
  func `directories, pipes and devices are refused without waiting`() throws {
    let directory = try TemporaryDirectory()
    let pipe = directory.path + "/pipe"
    #expect(try Command.run(["mkfifo", pipe]).status == 0)
    #expect(throws: Errno.isDirectory) { try MappedFile.open(directory.path) }
    #expect(throws: Errno.illegalSeek) { try MappedFile.open(pipe) }
    #expect(throws: Errno.illegalSeek) { try MappedFile.open("/dev/zero") }
    #expect(throws: Errno.illegalSeek) { try SystemFile.read(pipe) }
    #expect(throws: Errno.noEntry) { try MappedFile.open(directory.path + "/missing") }
    #expect(throws: Errno.invalid) { try MappedFile.open("a\0b") }
  }

  @Test func `a mapped file holds what reading it gives, and outlives its name`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/large"
    let made = try Command.run(["dd", "if=/dev/urandom", "of=\(path)", "bs=1M", "count=3"])
    #expect(made.status == 0)
    let mapped = try MappedFile.open(path)
    #expect(mapped.array == (try SystemFile.read(path)))
    let before = mapped.array
    try FileSystem.remove(path)
    #expect(mapped.array == before)
  }

  @Test func `the kernel's BTF opens, mapped or read`() throws {
    let path = "/sys/kernel/btf/vmlinux"
    let bytes = try MappedFile.open(path)
    #expect(bytes.count == Int(try FileStatus(path: path).size))
    #expect(try bytes.load(at: 0, as: UInt16.self) == 0xeb9f)
  }

  @Test func `a directory's entries are what ls shows`() throws {
    let listed = try Command.run(["ls", "-A", "/sys/devices/system/cpu"]).output
    let expected = Set(listed.split(separator: "\n").map(String.init))
    #expect(Set(try FileSystem.entries("/sys/devices/system/cpu")) == expected)
  }

  @Test func `a sysctl is a number, other text is not`() throws {
    #expect(try SystemFile.integer("/proc/sys/kernel/pid_max") > 0)
    #expect(throws: Errno.invalid) { try SystemFile.integer("/proc/version") }
  }
}
