internal import EBPFObject
public import EBPFSystem

/// Where the threads of a process keep the variable `otel_thread_ctx_v1` of OpenTelemetry's OTEP 4947.
///
/// Found for x86-64 in the ways that the ELF ABI has for thread-local variables ("ELF Handling For
/// Thread-Local Storage"): in the executable's own block, whose distance from the thread pointer the
/// program header tells; and in a shared library, whose linker wrote into the library's memory where it
/// put the variable: its distance (R_X86_64_TPOFF64), its module and offset (R_X86_64_DTPMOD64), or either
/// (R_X86_64_TLSDESC).
public struct ThreadContextPlace: Sendable, Hashable {
  /// From the thread pointer, or from the start of the module's block; may be negative.
  public var offset: UInt64
  /// The module in the thread's dynamic thread vector; 0 where the offset is the thread pointer's.
  public var module: UInt32
  /// The bytes of an entry of that vector, which are the C library's choice.
  public var stride: UInt32

  /// The variable's name.
  public static let symbol = "otel_thread_ctx_v1"
  /// How many files of a process are searched.
  static let fileLimit = 512

  /// Searches the files that a process runs code of, the executable first; nil where none has the
  /// variable.
  ///
  /// What cannot be read is passed over. Libraries that are loaded with code that has not used the variable
  /// yet may not have their place yet; it is found when the process is searched again.
  public static func find(
    in process: Int32, _ maps: ProcessMaps, _ memory: borrowing ProcessMemory
  ) -> ThreadContextPlace? {
    var met: Set<[UInt64]> = []
    let executable = file("/proc/\(process)/exe")
    if let executable, let place = inExecutable(executable) { return place }
    let isMusl = executable.map(isLinkedByMusl) ?? false
    for mapping in maps.mappings
    where mapping.kind == .file && mapping.access.contains(.execute)
      && met.insert([mapping.device, mapping.inode]).inserted && met.count <= fileLimit
    {
      guard let library = open(mapping, of: process), let bias = bias(of: library, at: mapping),
        var place = inLibrary(library, bias: bias, memory)
      else { continue }
      if place.module != 0 { place.stride = isMusl ? 8 : 16 }
      return place
    }
    return nil
  }

  private static func isLinkedByMusl(_ executable: ELFFile) -> Bool {
    do throws(EBPFError) {
      return try executable.interpreter?.contains("/ld-musl-") ?? false
    } catch { return false }  // A damaged file tells nothing.
  }

  /// The variable in the block of a program, which lies right below the thread pointer.
  static func inExecutable(_ file: ELFFile) -> ThreadContextPlace? {
    guard file.machine == ELFFile.Machine.x86_64, file.is64Bit,
      let block = file.segments.first(where: { $0.type == ELFFile.SegmentType.threadLocal }),
      block.alignment <= 1 << 30, block.memorySize <= 1 << 40,
      file.type == ELFFile.FileType.executable || file.type == ELFFile.FileType.shared,
      let symbol = symbol(in: file, alsoStatic: true), symbol.value < block.memorySize
    else { return nil }
    let alignment = max(block.alignment, 1)
    let size = (block.memorySize + alignment - 1) / alignment * alignment
    return ThreadContextPlace(offset: symbol.value &- size, module: 0, stride: 0)
  }

  /// The variable's definition. The OTEP wants it among the dynamic symbols; a program may as well have it
  /// among those that stripping removes.
  static func symbol(in file: ELFFile, alsoStatic: Bool) -> ELFFile.Symbol? {
    do throws(EBPFError) {
      if let found = definition(try file.dynamicSymbolTable) { return found }
      return alsoStatic ? definition(try file.symbolTable) : nil
    } catch { return nil }  // A damaged file has no symbols.
  }

  private static func definition(_ table: SymbolTable?) -> ELFFile.Symbol? {
    var found: ELFFile.Symbol?
    table?.forEachSymbol { entry in
      guard found == nil, entry.type == ELFFile.SymbolType.threadLocal, !entry.isUndefined else {
        return
      }
      if table?.isNamed(entry, Self.symbol) ?? false { found = entry }
    }
    return found
  }

  /// A mapped file; the kernel's own link outlives deletion and mounts, but takes more rights.
  private static func open(_ mapping: ProcessMapping, of process: Int32) -> ELFFile? {
    let range = String(mapping.start, radix: 16) + "-" + String(mapping.end, radix: 16)
    if let file = file("/proc/\(process)/map_files/\(range)") { return file }
    guard !mapping.isDeleted else { return nil }
    let path = "/proc/\(process)/root\(mapping.path)"
    do throws(Errno) {
      guard try FileStatus(path: path).inode == mapping.inode else { return nil }
    } catch { return nil }
    return file(path)
  }

  private static func file(_ path: String) -> ELFFile? {
    let bytes: Bytes
    do throws(Errno) { bytes = try MappedFile.open(path) } catch { return nil }
    do throws(EBPFError) { return try ELFFile(bytes) } catch { return nil }
  }
}
