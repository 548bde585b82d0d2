internal import EBPF
internal import EBPFSystem

/// A file that has an allocator, and where in it the probes go.
struct AllocatorFile: Sendable {
  /// One place.
  struct Place: Sendable, Hashable {
    /// The function, as messages name it.
    var function: String
    /// The program for its entry.
    var program: String
    /// Whether its return is probed too.
    var returnsBlock: Bool
    /// The offset in the file of its first instruction.
    var entry: UInt64
    /// Bytes from there to where its entry is probed.
    var step: UInt64
  }

  /// What tells files apart.
  struct Identity: Sendable, Hashable {
    var device: UInt64
    var inode: UInt64
  }

  /// A path that can be opened.
  let path: String
  /// The path as its process knows it.
  let name: String
  let identity: Identity
  let places: [Place]

  /// Standard functions by the program that records their entry.
  private static let functions: [(name: String, program: String)] = [
    ("malloc", "memory_malloc"), ("calloc", "memory_calloc"), ("realloc", "memory_realloc"),
    ("reallocarray", "memory_reallocarray"), ("posix_memalign", "memory_posix_memalign"),
    ("aligned_alloc", "memory_aligned_alloc"), ("memalign", "memory_memalign"),
    ("valloc", "memory_pages"), ("pvalloc", "memory_pages"), ("free", "memory_free"),
    ("free_sized", "memory_free"), ("free_aligned_sized", "memory_free"),
  ]
  private static let freeing = "memory_free"

  /// Looks for the allocator's functions, their names beginning with `prefix`; nil when the file has
  /// no `malloc` or no `free`.
  init?(path: String, name: String, prefix: String) throws(EBPFError) {
    let bytes: Bytes
    let status: FileStatus
    do throws(Errno) {
      status = try FileStatus(path: path)
      bytes = try MappedFile.open(path)
    } catch {
      throw EBPFError(
        error == .noEntry ? .notFound : .denied, "the file cannot be read: \(error.text)",
        context: [.file(name)],
        systemCall: .init(call: "open", errno: error.rawValue, name: error.name))
    }
    self.path = path
    self.name = name
    identity = Identity(device: status.device, inode: status.inode)
    let elf = try EBPFError.at(.file(name)) { () throws(EBPFError) in try ELFFile(bytes) }
    guard elf.is64Bit,
      elf.type == ELFFile.FileType.executable || elf.type == ELFFile.FileType.shared
    else { return nil }
    places = try EBPFError.at(.file(name)) { () throws(EBPFError) in
      try AllocatorFile.places(elf, bytes, prefix)
    }
    let found = Set(places.map(\.function))
    guard found.contains(prefix + "malloc"), found.contains(prefix + "free") else { return nil }
  }

  private static func places(
    _ elf: ELFFile, _ bytes: Bytes, _ prefix: String
  ) throws(EBPFError) -> [Place] {
    var places: [Place] = []
    // One function may have several names: aligned_alloc and memalign.
    var taken: Set<UInt64> = []
    for (name, program) in functions {
      for function in try elf.functions(named: prefix + name) where !function.isIndirect {
        guard let offset = elf.fileOffset(ofAddress: function.address),
          taken.insert(offset).inserted
        else { continue }
        let frees = program == freeing
        var step = 0
        // A return probe has to be at the first instruction, where the return address is on top of
        // the stack; then the entry may as well be there.
        if frees, elf.machine == ELFFile.Machine.x86_64 {
          step = CheapEntry.offset(in: code(bytes, at: offset, size: function.size))
        }
        places.append(
          Place(
            function: prefix + name, program: program, returnsBlock: !frees, entry: offset,
            step: UInt64(step)))
      }
    }
    return places
  }

  /// The function's first bytes, no more than it has.
  private static func code(_ bytes: Bytes, at offset: UInt64, size: UInt64) -> [UInt8] {
    let count = size == 0 ? 16 : min(size, 32)
    var code: [UInt8] = []
    let span = bytes.span
    for index in 0..<Int(count) {
      guard let start = Int(exactly: offset),
        let byte = span.integer(at: start &+ index, as: UInt8.self)
      else { break }
      code.append(byte)
    }
    return code
  }
}
