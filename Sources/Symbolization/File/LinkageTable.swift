import EBPFObject

/// The stubs of the procedure linkage table, named for the function they jump to.
///
/// A stub reads its target's address from a slot; the relocation of that slot names the symbol. So the
/// slot is taken from the stub's own instruction, which works for `.plt`, `.plt.sec` (branch
/// tracking) and `.plt.got` alike. x86_64 only: elsewhere there are no such names.
struct LinkageTable: Sendable {
  private struct Stub {
    var address: UInt64
    var name: UInt32
    var size: UInt32
  }

  private let stubs: [Stub]
  private let names: Bytes
  /// `.plt.got` has stubs of 8 bytes, the others of 16.
  private static let stubSizes: ClosedRange<UInt64> = 8...16
  /// `.rela.dyn` of a large program has millions of relocations, and few stubs depend on it.
  private static let largestRelocationSection: UInt64 = 4 << 20

  /// No stubs.
  init() {
    stubs = []
    names = Bytes([])
  }

  init(_ file: ELFFile) throws(EBPFError) {
    self.init()
    let sections = [".plt", ".plt.sec", ".plt.got"].compactMap { file.section(named: $0) }
      .filter { $0.isExecutable && $0.size >= Self.stubSizes.lowerBound }
    guard file.machine == ELFFile.Machine.x86_64, !sections.isEmpty,
      let symbols = try file.dynamicSymbolTable
    else { return }
    let slots = try Self.slots(of: file, symbols)
    var stubs: [Stub] = []
    for section in sections {
      let code = try file.contents(of: section)
      let size = Int(
        Self.stubSizes.contains(section.entrySize) ? section.entrySize : Self.stubSizes.upperBound)
      for index in 0..<code.count / size {
        let offset = index * size
        let address = section.address &+ UInt64(offset)
        guard let slot = Self.slot(of: code.span, at: offset, address: address),
          let name = slots[slot]
        else { continue }
        stubs.append(Stub(address: address, name: name, size: UInt32(size)))
      }
    }
    stubs.sort { $0.address < $1.address }
    self = LinkageTable(stubs, symbols.nameBytes)
  }

  private init(_ stubs: [Stub], _ names: Bytes) {
    self.stubs = stubs
    self.names = names
  }

  /// The names' offsets by slot address.
  private static func slots(
    of file: ELFFile, _ symbols: SymbolTable
  ) throws(EBPFError) -> [UInt64: UInt32] {
    var slots: [UInt64: UInt32] = [:]
    for section in file.sections
    where section.type == ELFFile.SectionType.relocationsWithAddend
      && section.link == UInt32(truncatingIfNeeded: symbols.section.index)
      && section.size <= largestRelocationSection
    {
      for relocation in try file.relocations(in: section) {
        // R_X86_64_GLOB_DAT and R_X86_64_JUMP_SLOT (psABI, "Relocation Types").
        guard relocation.type == 6 || relocation.type == 7 else { continue }
        let symbol = try symbols.symbol(at: Int(relocation.symbolIndex))
        if symbol.nameOffset != 0 { slots[relocation.offset] = symbol.nameOffset }
      }
    }
    return slots
  }

  /// The slot that the stub at `offset` jumps through: `[endbr64] [bnd] jmp *displacement(%rip)`.
  private static func slot(of code: RawSpan, at offset: Int, address: UInt64) -> UInt64? {
    var position = offset
    func byte(_ index: Int) -> UInt8? { code.integer(at: position + index) }
    if byte(0) == 0xf3, byte(1) == 0x0f, byte(2) == 0x1e, byte(3) == 0xfa { position += 4 }
    if byte(0) == 0xf2 { position += 1 }
    guard byte(0) == 0xff, byte(1) == 0x25,
      let displacement = code.integer(at: position + 2, as: Int32.self)
    else { return nil }
    let next = address &+ UInt64(position - offset + 6)
    return next &+ UInt64(bitPattern: Int64(displacement))
  }

  /// The stub that contains an address.
  func function(at address: UInt64) -> ELFSymbols.Function? {
    var low = 0
    var high = stubs.count
    while low < high {
      let middle = low + (high - low) / 2
      if stubs[middle].address <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0, address - stubs[low - 1].address < stubs[low - 1].size else { return nil }
    let stub = stubs[low - 1]
    return ELFSymbols.Function(
      name: names.name(at: Int(stub.name)) + "@plt", address: stub.address,
      size: UInt64(stub.size))
  }
}
