public import EBPFObject
import EBPFSystem

/// Finds the debug file of a stripped one: by build id, then by `.gnu_debuglink`, as gdb does.
public struct DebugFiles: Sendable, Hashable {
  /// The folders that mirror the file system with debug files, and hold `.build-id`.
  public var folders: [String]

  /// Creates a search.
  public init(folders: [String] = ["/usr/lib/debug"]) { self.folders = folders }

  /// The debug file of the ELF file at `path`, or nil when there is none.
  ///
  /// `root` is where the file system begins that `path` is a path of, `/proc/PID/root` for a process
  /// in a container; our own is looked through after it. A file is taken only if its build id (or,
  /// without one, its CRC) is the expected one. What is found but cannot be read as ELF is passed over.
  public func find(
    for file: ELFFile, path: String, root: String = ""
  ) throws(EBPFError) -> ELFFile? {
    if !root.isEmpty, let found = try find(for: file, path, in: root) { return found }
    return try find(for: file, path, in: "")
  }

  private func find(
    for file: ELFFile, _ path: String, in root: String
  ) throws(EBPFError) -> ELFFile? {
    let buildID = try file.buildID ?? ""
    if buildID.utf8.count > 2 {
      for folder in folders {
        let candidate = "\(folder)/.build-id/\(buildID.prefix(2))/\(buildID.dropFirst(2)).debug"
        if let found = open(root + candidate, buildID: buildID, checksum: nil) { return found }
      }
    }
    guard let link = try file.debugLink, !link.fileName.isEmpty, !link.fileName.contains("/") else {
      return nil
    }
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    var candidates = ["\(folder)/\(link.fileName)", "\(folder)/.debug/\(link.fileName)"]
    candidates += folders.map { "\($0)\(folder)/\(link.fileName)" }
    for candidate in candidates where candidate != path {
      if let found = open(root + candidate, buildID: buildID, checksum: link.checksum) {
        return found
      }
    }
    return nil
  }

  private func open(_ path: String, buildID: String, checksum: UInt32?) -> ELFFile? {
    do {
      let bytes = try MappedFile.open(path)
      let file = try ELFFile(bytes)
      if !buildID.isEmpty, try file.buildID == buildID { return file }
      guard let checksum, ProcessFile.checksum(bytes) == checksum else { return nil }
      return file
    } catch {
      // Most candidates do not exist; one that is damaged is as good as none.
      return nil
    }
  }
}
