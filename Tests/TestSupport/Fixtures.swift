import EBPFObject
import Glibc

/// The files under `Tests/Fixtures`.
public enum Fixtures {
  /// The directory.
  public static let directory: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    return parts.joined(separator: "/") + "/Fixtures"
  }()

  /// The absolute path of a file in it.
  public static func path(_ name: String) -> String { directory + "/" + name }

  /// The names of the files in it whose name ends so, sorted.
  public static func names(endingWith suffix: String) -> [String] {
    guard let handle = opendir(directory) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(suffix) { names.append(name) }
    }
    return names.sorted()
  }

  /// A fixture's bytes.
  public static func bytes(_ name: String) throws -> Bytes {
    Bytes(try contents(ofFile: path(name)))
  }
}
