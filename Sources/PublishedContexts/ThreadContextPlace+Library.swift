internal import EBPFObject
internal import EBPFSystem

extension ThreadContextPlace {
  /// Relocation types of x86-64 for thread-local variables.
  private enum Relocation {
    static let module: UInt32 = 16  // R_X86_64_DTPMOD64
    static let threadOffset: UInt32 = 18  // R_X86_64_TPOFF64
    static let descriptor: UInt32 = 36  // R_X86_64_TLSDESC
  }

  /// The most modules that a process can have: each is a file that is mapped.
  private static let moduleLimit: UInt64 = 65_536

  /// The distance between a library's addresses and those of a process that has it mapped.
  static func bias(of file: ELFFile, at mapping: ProcessMapping) -> UInt64? {
    let page: UInt64 = 4096
    let segment = file.segments.first {
      $0.isExecutable && $0.offset / page * page == mapping.fileOffset
    }
    return segment.map { mapping.start &- $0.virtualAddress / page * page }
  }

  /// The variable in a library, from what its linker wrote into the library's memory.
  static func inLibrary(
    _ file: ELFFile, bias: UInt64, _ memory: borrowing some ReadableMemory & ~Copyable
  ) -> ThreadContextPlace? {
    guard file.machine == ELFFile.Machine.x86_64, file.is64Bit,
      let symbol = symbol(in: file, alsoStatic: false)
    else { return nil }
    for section in file.sections where section.type == ELFFile.SectionType.relocationsWithAddend {
      let relocations: [ELFFile.Relocation]
      do throws(EBPFError) { relocations = try file.relocations(in: section) } catch { continue }
      for relocation in relocations where Int(relocation.symbolIndex) == symbol.index {
        if let place = place(relocation, at: bias &+ relocation.offset, memory) { return place }
      }
    }
    return nil
  }

  private static func place(
    _ relocation: ELFFile.Relocation, at address: UInt64,
    _ memory: borrowing some ReadableMemory & ~Copyable
  ) -> ThreadContextPlace? {
    do throws(Errno) {
      switch relocation.type {
      case Relocation.threadOffset: return fixed(try memory.words(at: address, count: 1)[0])
      case Relocation.module: return indexed(try memory.words(at: address, count: 2))
      case Relocation.descriptor:
        // A function and its argument: the offset of a variable with a fixed place, or the address of
        // module and offset.
        let argument = try memory.words(at: address, count: 2)[1]
        if let place = fixed(argument) { return place }
        return indexed(try memory.words(at: argument, count: 2))
      default: return nil
      }
    } catch { return nil }
  }

  /// What lies below the thread pointer, where x86-64 has all blocks that threads get at their start.
  private static func fixed(_ word: UInt64) -> ThreadContextPlace? {
    let offset = Int64(bitPattern: word)
    guard offset < 0, offset > -(1 << 32) else { return nil }
    return ThreadContextPlace(offset: word, module: 0, stride: 0)
  }

  private static func indexed(_ words: [UInt64]) -> ThreadContextPlace? {
    guard words[0] > 0, words[0] <= moduleLimit, words[1] < 1 << 40 else { return nil }
    return ThreadContextPlace(offset: words[1], module: UInt32(words[0]), stride: 0)
  }
}
