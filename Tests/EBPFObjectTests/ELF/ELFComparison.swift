import CLibelf
import EBPFObject
import Testing

/// Our values in the shape the oracle gives them.
extension ELFFile {
  var comparableSections: [LibELF.Section] {
    sections.map {
      LibELF.Section(
        name: $0.name,
        numbers: [
          UInt64($0.type), $0.flags, $0.address, $0.offset, $0.size, UInt64($0.link),
          UInt64($0.info), $0.alignment, $0.entrySize,
        ])
    }
  }
}

extension ELFFile.Segment {
  var comparable: [UInt64] {
    [
      UInt64(type), UInt64(flags), offset, virtualAddress, physicalAddress, fileSize, memorySize,
      alignment,
    ]
  }
}

extension ELFFile.Relocation {
  var comparable: [Int64] {
    [Int64(bitPattern: offset), Int64(symbolIndex), Int64(type), addend ?? 0]
  }
}

extension SymbolTable {
  func comparable(_ indexes: [Int]) throws(EBPFError) -> [LibELF.Symbol] {
    var symbols: [LibELF.Symbol] = []
    for index in indexes {
      let symbol = try symbol(at: index)
      symbols.append(
        LibELF.Symbol(
          name: try name(of: symbol), value: symbol.value, size: symbol.size, info: symbol.info,
          other: symbol.other,
          section: symbol.rawSectionIndex == 0xffff
            ? symbol.extendedSectionIndex : UInt32(symbol.rawSectionIndex)))
    }
    return symbols
  }
}

/// How many of each thing were compared: a comparison of nothing proves nothing.
struct ELFComparisonCounts {
  var files = 0
  var sections = 0
  var symbols = 0
  var relocations = 0
  var notes = 0
}

/// Compares everything both readers know about a file; tables of more than `limit` rows by sample.
func expectSameAsLibELF(
  _ bytes: [UInt8], _ name: String, limit: Int = 400, counts: inout ELFComparisonCounts
) throws {
  let comment = Comment(rawValue: name)
  let ours = try ELFFile(Bytes(bytes))
  let theirs = try #require(LibELF(bytes), comment)
  counts.files += 1
  #expect(ours.type == theirs.header.e_type, comment)
  #expect(ours.machine == theirs.header.e_machine, comment)
  #expect(ours.entry == theirs.header.e_entry, comment)
  #expect(ours.flags == theirs.header.e_flags, comment)
  #expect(ours.comparableSections == theirs.sections(), comment)
  #expect(ours.segments.map(\.comparable) == theirs.segments(), comment)
  counts.sections += ours.sections.count
  for section in ours.sections {
    switch section.type {
    case ELFFile.SectionType.symbolTable, ELFFile.SectionType.dynamicSymbols:
      let table = try ours.symbols(in: section)
      #expect(UInt64(table.count) == section.size / section.entrySize, comment)
      let indexes = sample(table.count, limit)
      let expected = theirs.symbols(
        inSection: section.index, strings: Int(section.link), indexes: indexes)
      #expect(try table.comparable(indexes) == expected, comment)
      counts.symbols += indexes.count
    case ELFFile.SectionType.relocations, ELFFile.SectionType.relocationsWithAddend:
      let relocations = try ours.relocations(in: section)
      let expected = theirs.relocations(inSection: section.index)
      #expect(relocations.count == expected.count, comment)
      for index in sample(min(relocations.count, expected.count), limit) {
        #expect(relocations[index].comparable == expected[index], comment)
      }
      counts.relocations += relocations.count
    case ELFFile.SectionType.note:
      let notes = try ours.notes(in: section)
      let expected = theirs.notes(inSection: section.index)
      #expect(notes.map(\.owner) == expected.map(\.owner), comment)
      #expect(notes.map(\.type) == expected.map(\.type), comment)
      #expect(notes.map(\.description.array) == expected.map(\.description), comment)
      counts.notes += notes.count
    default: break
    }
  }
}

/// At most `limit` indexes of `0 ..< count`, evenly spread, with the first and the last.
func sample(_ count: Int, _ limit: Int) -> [Int] {
  guard count > limit else { return Array(0..<count) }
  let step = count / limit + 1
  return Array(stride(from: 0, to: count, by: step)) + [count - 1]
}
