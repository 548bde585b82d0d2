import Glibc
import TestSupport
import Testing

@testable import EBPFTracers

/// The tree of control groups, which is one of folders.
@Suite struct CgroupDirectoryTests {
  @Test func `a group that takes the place of another is seen, though there are as many`() throws {
    let root = try TemporaryDirectory()
    try root.write("nr_descendants 1\n", to: "cgroup.stat")
    let directory = CgroupDirectory(root: root.path)
    let first = try make(root.file("first"))
    directory.refresh()
    #expect(directory.place(of: first)?.path == "/first")
    // Both at once, so that they have different numbers.
    let second = try make(root.file("second"))
    #expect(rmdir(root.file("first")) == 0)
    let deadline = ContinuousClock.now + .seconds(10)
    while directory.place(of: second) == nil {
      try #require(ContinuousClock.now < deadline, "it was not looked for")
      sched_yield()
    }
    #expect(directory.place(of: second)?.path == "/second")
    #expect(directory.place(of: first)?.path == "/first", "what was seen stays known")
  }

  private func make(_ folder: String) throws -> UInt64 {
    try #require(mkdir(folder, 0o755) == 0)
    var status = stat()
    try #require(stat(folder, &status) == 0)
    return UInt64(status.st_ino)
  }
}
