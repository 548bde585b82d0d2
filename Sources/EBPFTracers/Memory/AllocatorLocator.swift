internal import EBPF
internal import EBPFSystem

/// Finds the allocators that processes use: in what they have mapped, or, before a program has
/// started, in what its file will load.
struct AllocatorLocator: Sendable {
  let allocator: MemoryTracerConfiguration.Allocator

  /// The files that were named instead of being looked for.
  func named() throws(EBPFError) -> [AllocatorFile] {
    var files: [AllocatorFile] = []
    for object in allocator.objects {
      let location = try LibraryLocator().locate(object)
      guard let file = try file(location.path, location.name) else {
        let prefix = allocator.prefix
        throw EBPFError(
          .notFound, "the file has no functions '\(prefix)malloc' and '\(prefix)free'",
          context: [.file(object)],
          hint: "name the file that has them; --prefix says what their names begin with")
      }
      files.append(file)
    }
    return files
  }

  /// Every allocator that a process has mapped.
  func files(of process: Int32) throws(EBPFError) -> [AllocatorFile] {
    var met: Set<UInt64> = []
    return try newFiles(of: process, &met)
  }

  /// Every file with static probes for allocations that a process has mapped.
  func staticProbes(of process: Int32) throws(EBPFError) -> [StaticProbeFile] {
    var met: Set<UInt64> = []
    return try AllocatorLocator.staticProbes(
      in: try AllocatorLocator.mapped(by: process, &met))
  }

  /// Every file with static probes for allocations that a program will have when it is started; see
  /// ``files(ofProgram:root:)``.
  func staticProbes(
    ofProgram path: String, root: String = ""
  ) throws(EBPFError) -> [StaticProbeFile] {
    try AllocatorLocator.staticProbes(in: try AllocatorLocator.loaded(by: path, root: root))
  }

  /// The allocators of every process there is, each file once; those of processes that may not be
  /// looked into, or end meanwhile, are left out.
  func filesOfAll() -> [AllocatorFile] {
    var files: [AllocatorFile.Identity: AllocatorFile] = [:]
    var names: [String] = []
    do throws(Errno) { names = try FileSystem.entries("/proc") } catch { return [] }
    var met: Set<UInt64> = []
    for name in names {
      guard let process = Int32(name) else { continue }
      do throws(EBPFError) {
        for file in try newFiles(of: process, &met) { files[file.identity] = file }
      } catch { continue }  // It has ended, or is not ours to see: its calls are not seen either.
    }
    return files.values.sorted { $0.path < $1.path }
  }

  /// The allocators that a program will have when it is started.
  ///
  /// - Parameter root: where its file system is: empty, or `/proc/PID/root`.
  func files(ofProgram path: String, root: String = "") throws(EBPFError) -> [AllocatorFile] {
    AllocatorLocator.distinct(
      try files(in: try AllocatorLocator.loaded(by: path, root: root)))
  }

  /// A file to look into.
  private struct Candidate {
    /// A path that can be opened.
    let path: String
    /// The path as its process knows it.
    let name: String
  }

  /// What a program will have when it is started: itself, and the libraries it names.
  private static func loaded(
    by path: String, root: String, depth: Int = 0
  ) throws(EBPFError) -> [Candidate] {
    let bytes: Bytes
    do throws(Errno) { bytes = try MappedFile.open(path) } catch {
      throw EBPFError(
        error == .noEntry ? .notFound : .denied, "the program cannot be read: \(error.text)",
        context: [.file(path)],
        systemCall: .init(call: "open", errno: error.rawValue, name: error.name))
    }
    if let interpreter = AllocatorLocator.scriptInterpreter(bytes) {
      guard depth < 4 else { return [] }  // The kernel gives up there as well.
      return try loaded(by: root + interpreter, root: root, depth: depth + 1)
    }
    guard bytes.span.integer(at: 0, as: UInt32.self) == 0x464c_457f else { return [] }
    var candidates = [Candidate(path: path, name: path)]
    let elf = try EBPFError.at(.file(path)) { () throws(EBPFError) in try ELFFile(bytes) }
    let (linker, needed) = try EBPFError.at(.file(path)) {
      () throws(EBPFError) -> (String?, [String]) in
      (try elf.interpreter, try elf.dynamicInformation()?.needed ?? [])
    }
    guard let linker else { return candidates }
    // musl's dynamic linker is its C library as well.
    candidates.append(Candidate(path: root + linker, name: linker))
    for library in Set(needed + ["libc.so.6"]).sorted() {
      let location: LibraryLocator.Location
      do throws(EBPFError) { location = try LibraryLocator(pid: nil).locate(library) } catch {
        continue  // Found by a search path of the program's own, or not there.
      }
      candidates.append(Candidate(path: root + location.name, name: location.name))
    }
    return candidates
  }

  /// The file that a command means, as execvp(3) finds it; nil when there is none.
  static func program(_ command: String) -> String? {
    if command.contains("/") { return command }
    let path = ProcessEnvironment["PATH"] ?? "/bin:/usr/bin"
    for folder in path.split(separator: ":") {
      let candidate = "\(folder)/\(command)"
      do throws(Errno) {
        if try FileStatus(path: candidate).isRegular { return candidate }
      } catch { continue }
    }
    return nil
  }

  /// Each file once, in order.
  static func distinct(_ files: [AllocatorFile]) -> [AllocatorFile] {
    var met: Set<AllocatorFile.Identity> = []
    return files.filter { met.insert($0.identity).inserted }
  }

  // MARK: - Files

  /// The allocators that a process has mapped, but for the inodes that were looked at before.
  private func newFiles(
    of process: Int32, _ met: inout Set<UInt64>
  ) throws(EBPFError) -> [AllocatorFile] {
    try files(in: try AllocatorLocator.mapped(by: process, &met))
  }

  /// What a process has mapped, but for the inodes that were looked at before.
  private static func mapped(
    by process: Int32, _ met: inout Set<UInt64>
  ) throws(EBPFError) -> [Candidate] {
    let place = "/proc/\(process)/maps"
    let text: [UInt8]
    do throws(Errno) { text = try SystemFile.read(place, limit: 64 << 20) } catch {
      let isGone = error == .noEntry || error == .noProcess
      throw EBPFError(
        isGone ? .notFound : .denied,
        isGone ? "there is no process \(process)" : "the process may not be looked into",
        context: [.process(process), .file(place)],
        systemCall: .init(call: "open", errno: error.rawValue, name: error.name),
        hint: isGone ? "it may have ended" : "run as root, or with CAP_SYS_PTRACE")
    }
    let maps = try EBPFError.at(.file(place)) { () throws(EBPFError) in
      try ProcessMaps(parsing: text)
    }
    var candidates: [Candidate] = []
    for mapping in maps.mappings where mapping.kind == .file && met.insert(mapping.inode).inserted {
      guard let path = openable(mapping, process) else { continue }
      candidates.append(Candidate(path: path, name: mapping.path))
    }
    return candidates
  }

  private func files(in candidates: [Candidate]) throws(EBPFError) -> [AllocatorFile] {
    try AllocatorLocator.found(in: candidates) { (candidate) throws(EBPFError) in
      try file(candidate.path, candidate.name)
    }
  }

  private static func staticProbes(
    in candidates: [Candidate]
  ) throws(EBPFError) -> [StaticProbeFile] {
    try found(in: candidates) { (candidate) throws(EBPFError) in
      try StaticProbeFile(path: candidate.path, name: candidate.name)
    }
  }

  /// What is found in files; those that cannot be looked into have nothing.
  private static func found<Found>(
    in candidates: [Candidate], _ look: (Candidate) throws(EBPFError) -> Found?
  ) throws(EBPFError) -> [Found] {
    var all: [Found] = []
    for candidate in candidates {
      do throws(EBPFError) {
        if let found = try look(candidate) { all.append(found) }
      } catch {
        // What a process has mapped need not be an ELF file, and may be gone.
        guard [.malformed, .notFound, .denied].contains(error.code) else { throw error }
      }
    }
    return all
  }

  private func file(_ path: String, _ name: String) throws(EBPFError) -> AllocatorFile? {
    try AllocatorFile(path: path, name: name, prefix: allocator.prefix)
  }

  /// A path for the file of a mapping, also when it was deleted or replaced.
  private static func openable(_ mapping: ProcessMapping, _ process: Int32) -> String? {
    let own = "/proc/\(process)/root" + mapping.path
    do throws(Errno) {
      if !mapping.isDeleted, try FileStatus(path: own).inode == mapping.inode { return own }
    } catch {
      // It has another name now, or none: the mapping itself is one.
    }
    let range = String(mapping.start, radix: 16) + "-" + String(mapping.end, radix: 16)
    let path = "/proc/\(process)/map_files/\(range)"
    return FileSystem.exists(path) ? path : nil
  }

  /// `/bin/sh` for a file that begins with `#!/bin/sh -e`.
  private static func scriptInterpreter(_ bytes: Bytes) -> String? {
    let span = bytes.span
    guard span.integer(at: 0, as: UInt16.self) == 0x2123 else { return nil }
    var line: [UInt8] = []
    var index = 2
    while index < 256, let byte = span.integer(at: index, as: UInt8.self), byte != 10 {
      line.append(byte)
      index += 1
    }
    return String(decoding: line, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\t" })
      .first.map(String.init)
  }
}
