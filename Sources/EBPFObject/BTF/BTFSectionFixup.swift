/// Completes the BTF of an object file from its ELF symbols, as the kernel wants it.
///
/// Compilers leave the sizes of data sections and the offsets of their variables to the linker, which
/// BPF objects mostly never see; and the kernel takes no extern. The rules are libbpf's.
public struct BTFSectionFixup: Sendable {
  /// A data section as the ELF file has it.
  public struct Section: Sendable, Hashable {
    /// The section's name.
    public var name: String
    /// Its size in bytes.
    public var size: UInt32
    /// The offsets of the variables in it, by name.
    public var offsets: [String: UInt32]
    /// Describes a section.
    public init(name: String, size: UInt32, offsets: [String: UInt32]) {
      self.name = name
      self.size = size
      self.offsets = offsets
    }
  }

  /// The sections, with the layout the loader gives to `.kconfig`.
  public var sections: [Section]
  /// Global symbols with hidden visibility: they become static, so that the kernel verifies functions
  /// among them together with their callers.
  public var hiddenSymbols: Set<String>

  /// Collects what the ELF file says.
  public init(sections: [Section], hiddenSymbols: Set<String> = []) {
    self.sections = sections
    self.hiddenSymbols = hiddenSymbols
  }

  /// The completed blob.
  public func apply(to btf: BTF) throws(EBPFError) -> [UInt8] {
    var rewriter = try BTFRewriter(btf)
    var known: [String: Section] = [:]
    for section in sections { known[section.name] = section }
    var stand: (variable: UInt32, int: UInt32)?
    for index in rewriter.types.indices {
      let type = rewriter.types[index]
      switch type.kind {
      case .dataSection:
        let name = try rewriter.name(of: type)
        if name == ".ksyms" {
          let standIn = stand ?? Self.addStandIn(&rewriter)
          stand = standIn
          try Self.fixKernelSymbols(index, &rewriter, standIn)
        } else if let section = known[name] {
          try fix(index, &rewriter, section)
        }
      case .function:
        if type.count == Int(BTFLinkage.global.rawValue),
          hiddenSymbols.contains(try rewriter.name(of: type))
        {
          rewriter.types[index].count = Int(BTFLinkage.static.rawValue)
        }
      default:
        break
      }
    }
    return rewriter.build()
  }

  private func fix(
    _ index: Int, _ rewriter: inout BTFRewriter, _ section: Section
  ) throws(EBPFError) {
    let words = rewriter.types[index].words
    let isExtern = section.name == ".kconfig"
    let starts = stride(from: 0, to: words.count, by: 3)
    // A static linker may have done it already.
    let isUnfinished =
      rewriter.types[index].sizeOrType == 0 || starts.allSatisfy { words[$0 + 1] == 0 }
    if rewriter.types[index].sizeOrType == 0 || isExtern {
      rewriter.types[index].sizeOrType = section.size
    }
    var rows: [(typeID: UInt32, offset: UInt32, size: UInt32)] = []
    for start in starts {
      var row = (typeID: words[start], offset: words[start + 1], size: words[start + 2])
      let variable = try rewriter.btf.type(row.typeID)
      let name = try rewriter.btf.name(of: variable)
      if isUnfinished || isExtern {
        guard let offset = section.offsets[name] else {
          throw EBPFError(
            .malformed, "BTF has a variable '\(name)' in this section, but there is no such symbol",
            context: [.section(section.name), .type(row.typeID)],
            hint: "the object was stripped or changed after it was compiled; compile it again")
        }
        row.offset = offset
      }
      if variable.kind == .variable, let place = rewriter.index(of: row.typeID) {
        if isExtern { rewriter.types[place].words = [BTFLinkage.global.rawValue] }
        if hiddenSymbols.contains(name) {
          rewriter.types[place].words = [BTFLinkage.static.rawValue]
        }
      }
      rows.append(row)
    }
    rows.sort { $0.offset < $1.offset }
    rewriter.types[index].words = rows.flatMap { [$0.typeID, $0.offset, $0.size] }
  }

  /// Kernel symbols have no place in any map: each gets four bytes of a section that nobody loads,
  /// and functions are stood in for by a variable, as a section may hold nothing else.
  private static func fixKernelSymbols(
    _ index: Int, _ rewriter: inout BTFRewriter, _ standIn: (variable: UInt32, int: UInt32)
  ) throws(EBPFError) {
    var words = rewriter.types[index].words
    let nameOffset = rewriter.builder.string(standInName)
    for start in stride(from: 0, to: words.count, by: 3) {
      let type = try rewriter.btf.type(words[start])
      if let place = rewriter.index(of: type.id) {
        if type.kind == .function {
          rewriter.types[place].count = Int(BTFLinkage.global.rawValue)
          // The kernel wants names for the parameters of a function that is not extern.
          if let prototype = rewriter.index(of: type.sizeOrType),
            rewriter.types[prototype].kind == .functionPrototype
          {
            var parameters = rewriter.types[prototype].words
            for word in stride(from: 0, to: parameters.count, by: 2)
            where parameters[word] == 0 && parameters[word + 1] != 0 {
              parameters[word] = nameOffset
            }
            rewriter.types[prototype].words = parameters
          }
        } else if type.kind == .variable {
          rewriter.types[place].words = [BTFLinkage.global.rawValue]
          rewriter.types[place].sizeOrType = standIn.int
        }
      }
      if type.kind == .function { words[start] = standIn.variable }
      words[start + 1] = UInt32(start / 3 * 4)
      words[start + 2] = 4
    }
    rewriter.types[index].words = words
    rewriter.types[index].sizeOrType = UInt32(words.count / 3 * 4)
  }

  private static let standInName = "dummy_ksym"

  private static func addStandIn(_ rewriter: inout BTFRewriter) -> (UInt32, UInt32) {
    let int = rewriter.add(.int, name: "int", sizeOrType: 4, words: [1 << 24 | 32])
    let variable = rewriter.add(
      .variable, name: standInName, sizeOrType: int, words: [BTFLinkage.global.rawValue])
    return (variable, int)
  }
}
