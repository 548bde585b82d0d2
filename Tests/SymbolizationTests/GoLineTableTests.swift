import EBPFObject
import EBPFSystem
import TestSupport
import Testing

@testable import Symbolization

@Suite struct GoLineTableTests {
  /// Writes a table as each Go has written it (`cmd/link/internal/ld/pcln.go`).
  struct Generator {
    var version: GoLineTable.Version
    var pointerSize = 8
    var order = ByteOrder.little
    /// Addresses and names; the last one only says where code ends.
    var functions: [(address: UInt64, name: String)]
    var textStart: UInt64 = 0x401000

    private func number(_ value: UInt64, _ size: Int) -> [UInt8] {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
      return order == .little ? bytes : bytes.reversed()
    }

    private func word(_ value: UInt64) -> [UInt8] { number(value, pointerSize) }

    var bytes: [UInt8] {
      var names: [UInt8] = []
      var nameOffsets: [Int] = []
      for function in functions {
        nameOffsets.append(names.count)
        names += Array(function.name.utf8) + [0]
      }
      let header = number(UInt64(version.rawValue), 4) + [0, 0, 1, UInt8(pointerSize)]
      let count = UInt64(functions.count - 1)
      // A description: its address, its name's place, and what is not read.
      func description(_ index: Int, _ namesStart: Int) -> [UInt8] {
        let name = number(UInt64(nameOffsets[index] + namesStart), 4)
        let rest = [UInt8](repeating: 0xee, count: 24)
        switch version {
        case .go12, .go116: return word(functions[index].address) + name + rest
        case .go118, .go120:
          return number(functions[index].address - textStart, 4) + name + rest
        }
      }
      if version == .go12 {
        // One block: header, table, descriptions, names; all offsets from its start.
        let tableSize = functions.count * 2 * pointerSize
        let data = 8 + pointerSize + tableSize
        let size = description(0, 0).count
        let namesStart = data + size * Int(count)
        var result = header + word(count)
        for index in functions.indices {
          result += word(functions[index].address) + word(UInt64(data + size * index))
        }
        for index in 0..<Int(count) { result += description(index, namesStart) }
        return result + names
      }
      let hasText = version == .go118 || version == .go120
      let fields = hasText ? 8 : 7
      let namesStart = 8 + fields * pointerSize
      let tableStart = namesStart + names.count
      let entry = hasText ? 4 : pointerSize
      let tableSize = Int(count) * 2 * entry + entry
      let size = description(0, 0).count
      var result = header + word(count) + word(1)
      if hasText { result += word(textStart) }
      // Names, compilation units, files, programs, functions.
      for place in [namesStart, tableStart, tableStart, tableStart, tableStart] {
        result += word(UInt64(place))
      }
      result += names
      for index in 0..<Int(count) {
        let address = functions[index].address - (hasText ? textStart : 0)
        result += number(address, entry) + number(UInt64(tableSize + size * index), entry)
      }
      result += number(functions[Int(count)].address - (hasText ? textStart : 0), entry)
      for index in 0..<Int(count) { result += description(index, 0) }
      return result
    }
  }

  static let functions: [(address: UInt64, name: String)] = [
    (0x401000, "internal/cpu.Initialize"), (0x401040, "main.(*Server).Serve"),
    (0x4010c0, "main.main.func1"), (0x4011a0, "type:.eq.main.pair[go.shape.int]"), (0x401300, ""),
  ]

  struct Layout: CustomTestStringConvertible {
    var version: GoLineTable.Version
    var pointerSize: Int
    var order: ByteOrder
    var testDescription: String { "\(version), \(pointerSize)-byte \(order)" }
  }

  static let layouts = GoLineTable.Version.allCases.flatMap { version in
    [
      Layout(version: version, pointerSize: 8, order: .little),
      Layout(version: version, pointerSize: 4, order: .little),
      Layout(version: version, pointerSize: 8, order: .big),
    ]
  }

  private func generator(_ layout: Layout) -> Generator {
    Generator(
      version: layout.version, pointerSize: layout.pointerSize, order: layout.order,
      functions: Self.functions)
  }

  @Test(arguments: layouts)
  func `every function is found at its first and at its last byte`(layout: Layout) throws {
    let table = try GoLineTable(
      Bytes(generator(layout).bytes), order: layout.order, text: 0)
    #expect(table.version == layout.version)
    for (function, next) in zip(Self.functions, Self.functions.dropFirst()) {
      for address in [function.address, function.address + 1, next.address - 1] {
        #expect(
          table.function(at: address)
            == ELFSymbols.Function(
              name: function.name, address: function.address,
              size: next.address - function.address))
      }
    }
    #expect(table.function(at: 0x400fff) == nil)
    #expect(table.function(at: 0x401300) == nil)
    #expect(table.function(at: .max) == nil)
  }

  @Test func `a position-independent program counts from the start of its code section`() throws {
    var generator = generator(Self.layouts[9])
    generator.textStart = 0x401000
    var bytes = generator.bytes
    // The linker leaves the address to a relocation.
    for index in 24..<32 { bytes[index] = 0 }
    let table = try GoLineTable(Bytes(bytes), order: .little, text: 0x401000)
    #expect(table.function(at: 0x401050)?.name == "main.(*Server).Serve")
  }

  @Test func `a table of a later Go, or a damaged one, says what is wrong`() throws {
    let bytes = generator(Self.layouts[9]).bytes
    func error(_ change: (inout [UInt8]) -> Void) -> EBPFError? {
      var changed = bytes
      change(&changed)
      do throws(EBPFError) {
        _ = try GoLineTable(Bytes(changed), order: .little, text: 0)
        return nil
      } catch { return error }
    }
    #expect(error { $0[0] = 0xf2 }?.code == .unsupported)
    #expect(
      error { $0[0] = 0xf2 }?.message
        == "the table is of a Go that came later: its first word is 0xfffffff2")
    #expect(error { $0[7] = 3 }?.message == "pointers of 3 bytes")
    let count = error {
      $0[8] = 0xff; $0[9] = 0xff
    }
    #expect(count?.code == .malformed)
    #expect(
      error {
        $0[64] = 0xff; $0[66] = 0xff
      }?.code == .malformed)
    #expect(error { $0.removeLast($0.count - 6) }?.code == .malformed)
  }

  @Test(arguments: layouts)
  func `every change of a byte gives an answer or an error`(layout: Layout) throws {
    let original = generator(layout).bytes
    var answers = 0
    for index in original.indices {
      for value in [0x00, 0x7f, 0xff] as [UInt8] {
        var bytes = original
        bytes[index] = value
        do throws(EBPFError) {
          let table = try GoLineTable(Bytes(bytes), order: layout.order, text: 0x401000)
          for address in [0, 0x401000, 0x401050, 0x4012ff, .max] as [UInt64] {
            if table.function(at: address) != nil { answers += 1 }
          }
        } catch { #expect(!error.message.isEmpty) }
      }
    }
    #expect(answers > original.count)
  }

  @Test func `a stripped program of a real Go has its functions where their code begins`() throws {
    // Go aligns functions to 32 bytes and fills what is left with int3.
    let file = try ELFFile(try MappedFile.open("/usr/sbin/runc"))
    let symbols = try ELFSymbols(file)
    #expect(symbols.source == .goLineTable)
    #expect(symbols.refusals.isEmpty)
    let text = try #require(file.section(named: ".text"))
    let code = try file.contents(of: text)
    var asked = 0
    var right = 0
    for offset in stride(from: code.count / 10, to: code.count - code.count / 10, by: 4999) {
      let address = text.address + UInt64(offset)
      guard let function = symbols.function(at: address), function.name.contains(".") else {
        continue
      }
      asked += 1
      #expect(function.address <= address && address - function.address < function.size)
      let start = Int(function.address - text.address)
      let before = try code.load(at: start - 1, as: UInt8.self)
      if function.address % 32 == 0, before == 0xcc || before == 0xc3 { right += 1 }
    }
    #expect(asked > 500)
    #expect(Double(right) >= 0.95 * Double(asked), "\(right) of \(asked)")
  }
}
