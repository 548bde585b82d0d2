import CLibelf
import EBPFObject
import Glibc
import Testing

/// Files of the machine that the tests run on.
enum MachineFiles {
  /// The paths of the regular ELF files of a directory with their sizes, by name.
  static func elfFiles(in directory: String) -> [(path: String, size: Int)] {
    guard let handle = opendir(directory) else { return [] }
    defer { closedir(handle) }
    var files: [(path: String, size: Int)] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      let path = directory + "/" + name
      var status = stat()
      guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size >= 64,
        let file = fopen(path, "r")
      else { continue }
      defer { fclose(file) }
      var magic = [UInt8](repeating: 0, count: 4)
      if fread(&magic, 1, 4, file) == 4, magic == [0x7f, 0x45, 0x4c, 0x46] {
        files.append((path, Int(status.st_size)))
      }
    }
    return files.sorted { $0.path < $1.path }
  }

  /// A file mapped into memory, unmapped with the last of its bytes.
  static func map(_ path: String) throws -> Bytes {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var status = stat()
    try #require(fstat(descriptor, &status) == 0)
    let size = Int(status.st_size)
    let start = try #require(mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0))
    try #require(start != MAP_FAILED)
    return Bytes(owner: Mapping(start: start, size: size), start: start, count: size)
  }

  private final class Mapping {
    let start: UnsafeMutableRawPointer
    let size: Int
    init(start: UnsafeMutableRawPointer, size: Int) {
      self.start = start
      self.size = size
    }
    deinit { munmap(start, size) }
  }
}
