import EBPFObject

/// Writes small BPF objects, right or wrong, that no compiler would make.
struct ObjectBuilder {
  private var sections:
    [(
      name: String, type: UInt32, flags: UInt64, data: [UInt8], link: UInt32, info: UInt32,
      entry: UInt64
    )] = []
  private var symbols: [UInt8] = [UInt8](repeating: 0, count: 24)
  private var strings: [UInt8] = [0]

  /// Adds a section with code and gives its index.
  mutating func addCode(_ name: String, _ instructions: [Instruction]) -> Int {
    sections.append((name, 1, 6, Instruction.encode(instructions, order: .host), 0, 0, 0))
    return sections.count
  }

  /// Adds a symbol of a function, in instructions, and gives its index; section 0 is undefined.
  mutating func addFunction(
    _ name: String, in section: Int, at start: Int, count: Int, isGlobal: Bool = true
  ) -> Int {
    append(UInt32(strings.count), to: &symbols)
    strings += Array(name.utf8) + [0]
    symbols.append((isGlobal ? 0x10 : 0) | (section == 0 ? 0 : 2))
    symbols.append(0)
    append(UInt16(section), to: &symbols)
    append(UInt64(start * 8), to: &symbols)
    append(UInt64(count * 8), to: &symbols)
    return symbols.count / 24 - 1
  }

  /// Adds relocations of calls: the instruction and the symbol of each.
  mutating func addCalls(in section: Int, _ calls: [(instruction: Int, symbol: Int)]) {
    var data: [UInt8] = []
    for call in calls {
      append(UInt64(call.instruction * 8), to: &data)
      append(UInt64(call.symbol) << 32 | 10, to: &data)
    }
    sections.append((".rel", 9, 0, data, 0, UInt32(section), 16))
  }

  /// The file.
  func build() -> Bytes {
    var file = [UInt8](repeating: 0, count: 64)
    var names: [UInt8] = [0]
    var headers = [UInt8](repeating: 0, count: 64)
    var all = sections
    let table = UInt32(all.count + 1)
    for index in all.indices where all[index].type == 9 { all[index].link = table }
    all.append((".symtab", 2, 0, symbols, table + 1, 1, 24))
    all.append((".strtab", 3, 0, strings, 0, 0, 0))
    all.append((".shstrtab", 3, 0, [], 0, 0, 0))
    for index in all.indices {
      append(UInt32(names.count), to: &headers)
      names += Array(all[index].name.utf8) + [0]
      if index == all.count - 1 { all[index].data = names }
      while file.count % 8 != 0 { file.append(0) }
      append(all[index].type, to: &headers)
      append(all[index].flags, to: &headers)
      append(UInt64(0), to: &headers)
      append(UInt64(file.count), to: &headers)
      append(UInt64(all[index].data.count), to: &headers)
      append(all[index].link, to: &headers)
      append(all[index].info, to: &headers)
      append(UInt64(1), to: &headers)
      append(all[index].entry, to: &headers)
      file += all[index].data
    }
    while file.count % 8 != 0 { file.append(0) }
    var header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
    append(UInt16(1), to: &header)
    append(UInt16(247), to: &header)
    append(UInt32(1), to: &header)
    append(UInt64(0), to: &header)
    append(UInt64(0), to: &header)
    append(UInt64(file.count), to: &header)
    append(UInt32(0), to: &header)
    for value in [64, 0, 0, 64, all.count + 1, all.count] { append(UInt16(value), to: &header) }
    file.replaceSubrange(0..<64, with: header)
    return Bytes(file + headers)
  }

  private func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }
}

extension Instruction {
  static let exit = Instruction(opcode: 0x95)
  static let zero = Instruction(opcode: 0xb7)
  /// A call of the function so many instructions after the next one.
  static func call(_ distance: Int32) -> Instruction {
    Instruction(opcode: 0x85, source: Pseudo.call, immediate: distance)
  }
}
