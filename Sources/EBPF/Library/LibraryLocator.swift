public import EBPFObject
import EBPFSystem

/// Finds the file of a library or program by the name a person gives: `libc`, `libssl.so.3`, `bash`,
/// or a path.
///
/// With a process, what that process has mapped comes first, deleted or not, then its own file
/// system; without one, this machine's library cache and the standard folders.
public struct LibraryLocator: Sendable {
  /// A file that was found.
  public struct Location: Sendable, Hashable {
    /// A path that this process can open; for another process's file below `/proc/PID`, where it
    /// works as long as that process lives.
    public var path: String
    /// The path as its own process knows it.
    public var name: String
  }

  /// The process whose libraries are meant; nil for this machine's.
  public var pid: Int32?

  /// Creates a locator.
  public init(pid: Int32? = nil) { self.pid = pid }

  /// The folders of libraries, after what the cache says.
  public static let folders: [String] = {
    #if arch(arm64)
      let triple = "aarch64-linux-gnu"
    #else
      let triple = "x86_64-linux-gnu"
    #endif
    return [
      "/lib/\(triple)", "/usr/lib/\(triple)", "/lib64", "/usr/lib64", "/lib", "/usr/lib",
      "/usr/local/lib/\(triple)", "/usr/local/lib",
    ]
  }()

  /// The file that `name` means.
  ///
  /// A name without a slash is a soname (`libc.so.6`), the start of one (`libc`), what the linker's
  /// `-l` takes (`c`), or a program in `PATH`. Throws `notFound`, saying where was looked.
  public func locate(_ name: String) throws(EBPFError) -> Location {
    guard !name.isEmpty, !name.utf8.contains(0) else {
      throw EBPFError(.invalidArgument, "the name of a library or program is empty")
    }
    if name.contains("/") {
      if let found = location(name) { return found }
      throw missing(name, "there is no such file")
    }
    if let pid, let found = try mapped(name, pid) { return found }
    for soname in Self.sonames(name) {
      for path in try cached(soname) + Self.folders.map({ "\($0)/\(soname)" }) {
        if let found = executableFormat(path) { return found }
      }
    }
    if let found = byFolders(name) ?? program(name) { return found }
    throw missing(
      name,
      pid == nil
        ? "no library or program of that name in the library cache, the standard folders or PATH"
        : "the process has mapped no such library, and its file system has none")
  }

  /// What `name` may be the short form of.
  private static func sonames(_ name: String) -> [String] {
    name.contains(".so") ? [name] : [name + ".so", "lib\(name).so"]
  }

  /// True when a file's own name is `name`, or `name` or `libname` followed by `.so…` or `-….so`.
  static func matches(_ file: Substring, _ name: String) -> Bool {
    if file == name { return true }
    for stem in [name, "lib" + name] where file.hasPrefix(stem) {
      let rest = file.dropFirst(stem.count)
      if rest.hasPrefix(".so") || rest.hasPrefix("-") && rest.contains(".so") { return true }
      // `libssl.so` means `libssl.so.3`.
      if name.contains(".so"), rest.hasPrefix(".") { return true }
    }
    // musl is one file, which is the dynamic linker as well.
    return (name == "libc" || name == "c") && file.hasPrefix("ld-musl-")
  }

  // MARK: - Where

  private var root: String { pid.map { "/proc/\($0)/root" } ?? "" }

  private func location(_ path: String, inode: UInt64? = nil) -> Location? {
    let own = root + path
    do throws(Errno) {
      let status = try FileStatus(path: own)
      guard status.isRegular, inode == nil || inode == status.inode else { return nil }
      return Location(path: own, name: path)
    } catch { return nil }
  }

  /// The same, if it is an ELF file: `libc.so` of a development package is a text.
  private func executableFormat(_ path: String) -> Location? {
    guard let found = location(path) else { return nil }
    do throws(Errno) {
      let bytes = try MappedFile.open(found.path)
      return bytes.span.integer(at: 0, as: UInt32.self) == 0x464c_457f ? found : nil
    } catch { return nil }
  }

  private func mapped(_ name: String, _ pid: Int32) throws(EBPFError) -> Location? {
    let place = "/proc/\(pid)/maps"
    let text: [UInt8]
    do throws(Errno) { text = try SystemFile.read(place, limit: 64 << 20) } catch {
      throw EBPFError(
        error == .noEntry || error == .noProcess ? .notFound : .denied,
        "the process's libraries cannot be read", context: [.process(pid), .file(place)],
        systemCall: .init(call: "open", errno: error.rawValue, name: error.name),
        hint: error == .noEntry ? "it may have ended" : "run as root, or with CAP_SYS_PTRACE")
    }
    let maps = try EBPFError.at(.file(place)) { () throws(EBPFError) in
      try ProcessMaps(parsing: text)
    }
    let candidates = maps.mappings.filter { mapping in
      guard mapping.kind == .file, let file = mapping.path.split(separator: "/").last else {
        return false
      }
      return Self.matches(file, name)
    }
    // `libc` is rather `libc.so.6` than `libc-client.so`.
    guard
      let best = candidates.min(by: { $0.path.utf8.count < $1.path.utf8.count })
    else { return nil }
    if !best.isDeleted, let found = location(best.path, inode: best.inode) { return found }
    let range = String(best.start, radix: 16) + "-" + String(best.end, radix: 16)
    return Location(path: "/proc/\(pid)/map_files/\(range)", name: best.path)
  }

  private func cached(_ soname: String) throws(EBPFError) -> [String] {
    let path = root + "/etc/ld.so.cache"
    let bytes: Bytes
    do throws(Errno) { bytes = try MappedFile.open(path, limit: 64 << 20) } catch {
      // musl and static systems have none.
      return []
    }
    return try EBPFError.at(.file(path)) { () throws(EBPFError) in
      try LibraryCache(parsing: bytes).paths(for: soname)
    }
  }

  /// The first file of the standard folders whose name begins as wanted: `libc` gives `libc.so.6`.
  private func byFolders(_ name: String) -> Location? {
    for folder in Self.folders {
      let files: [String]
      do throws(Errno) { files = try FileSystem.entries(root + folder) } catch { continue }
      let matching = files.filter { Self.matches($0[...], name) }
        .sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
      for file in matching {
        if let found = executableFormat("\(folder)/\(file)") { return found }
      }
    }
    return nil
  }

  private func program(_ name: String) -> Location? {
    let path = ProcessEnvironment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    for folder in path.split(separator: ":") {
      if let found = executableFormat("\(folder)/\(name)") { return found }
    }
    return nil
  }

  private func missing(_ name: String, _ message: String) -> EBPFError {
    var context: [EBPFError.Context] = [.file(name)]
    if let pid { context.append(.process(pid)) }
    return EBPFError(
      .notFound, message, context: context, hint: "give the whole path of the file")
  }
}
