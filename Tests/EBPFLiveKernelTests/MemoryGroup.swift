import EBPFSystem
import Glibc

/// A control group with a limit on memory, of whichever version has the controller.
final class MemoryGroup {
  private let path: String

  init(limit: Int) throws {
    let isFirstVersion = FileSystem.exists("/sys/fs/cgroup/memory/memory.limit_in_bytes")
    let root = isFirstVersion ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup"
    if !isFirstVersion {
      try SystemFile.write(root + "/cgroup.subtree_control", "+memory")
    }
    path = root + "/swift-ebpf-test-\(getpid())"
    try FileSystem.makeDirectory(path)
    try SystemFile.write(
      path + (isFirstVersion ? "/memory.limit_in_bytes" : "/memory.max"), String(limit))
  }

  func add(_ process: Int32) throws {
    try SystemFile.write(path + "/cgroup.procs", String(process))
  }

  deinit { rmdir(path) }
}
