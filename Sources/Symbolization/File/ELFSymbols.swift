public import EBPFObject
import EBPFSystem
import Synchronization

/// The functions of one ELF file, by address and by name.
///
/// From `.symtab`, of a separate debug file when the file itself has none; else from `.dynsym`. Calls
/// through the procedure linkage table get names of their own, `malloc@plt`. Nothing is read before
/// the first look-up; then either a scan without memory, for a few addresses, or one index of 16
/// bytes a function.
///
/// A function is the one that starts last among those whose size covers the address; failing that,
/// the nearest one before it if that has no size, up to the end of its section. Of several names for
/// one address: one with a size, then a function before a label, global before local before weak,
/// then fewer leading underscores, then the longer name, then the first in the table (perf's order).
public final class ELFSymbols: Sendable {
  /// A function of an ELF file.
  public struct Function: Sendable, Hashable {
    /// The linker's name, not demangled.
    public var name: String
    /// Its address, before any load bias.
    public var address: UInt64
    /// Its size in bytes; 0 when the file does not say.
    public var size: UInt64
  }

  /// Where the names are from.
  public enum Source: Sendable, Hashable {
    /// The file's full symbol table.
    case symbolTable
    /// The full symbol table of a separate debug file.
    case debugFile
    /// Only what dynamic linking needs: local functions are missing.
    case dynamicSymbols
    /// Nothing: the file is static and stripped.
    case none
  }

  /// Where the names are from.
  public let source: Source
  private let functions: FunctionTable?
  private let file: ELFFile
  private let state = Mutex(State())

  fileprivate struct State {
    var index: FunctionIndex?
    var scans = 0
    var linkage: LinkageTable?
    var linkageError: EBPFError?
  }

  /// A batch no larger than this is scanned for while there is no index…
  static let scanLimit = 64
  /// …this many times.
  static let scansBeforeIndex = 4

  /// Chooses the symbol table; reads nothing of it yet.
  public init(_ file: ELFFile, debugFile: ELFFile? = nil) throws(EBPFError) {
    if let table = try Self.fullTable(of: file) {
      source = .symbolTable
      functions = FunctionTable(file, table)
    } else if let debugFile, let table = try Self.fullTable(of: debugFile) {
      source = .debugFile
      functions = FunctionTable(debugFile, table)
    } else if let table = try file.dynamicSymbolTable, table.count > 1 {
      source = .dynamicSymbols
      functions = FunctionTable(file, table)
    } else {
      source = .none
      functions = nil
    }
    self.file = file
  }

  private static func fullTable(of file: ELFFile) throws(EBPFError) -> SymbolTable? {
    guard let table = try file.symbolTable, table.count > 1 else { return nil }
    return table
  }

  /// The function at an address of the file, before any load bias.
  public func function(at address: UInt64) -> Function? {
    functions(at: [address])[0]
  }

  /// The functions at many addresses, in the order given.
  public func functions(at addresses: [UInt64]) -> [Function?] {
    state.withLock { state in
      let entries = state.entries(at: addresses, in: functions)
      return zip(entries, addresses).map { entry, address in
        guard let functions, let entry else { return state.stub(at: address, in: file) }
        return Function(
          name: functions.name(entry), address: entry.address, size: UInt64(entry.size))
      }
    }
  }

  /// Why calls through the procedure linkage table have no names, when the file's relocations turned
  /// out to be damaged; known after a look-up has asked for one.
  public var linkageError: EBPFError? { state.withLock(\.linkageError) }

  /// The bytes of memory the index takes; 0 before there is one.
  public var indexSize: Int { state.withLock { $0.index?.byteCount ?? 0 } }

  /// Builds the index now, and says how many functions it has.
  @discardableResult
  public func buildIndex() -> Int {
    guard let functions else { return 0 }
    return state.withLock { state in
      let index = state.index ?? FunctionIndex(functions)
      state.index = index
      return index.count
    }
  }

  /// True when the file the names are from became shorter while it was read.
  var wasCutShort: Bool { functions?.nameBytes.wasCutShort ?? false }

  /// Gives the memory of the file the names are from back to the kernel.
  func releasePages() { functions?.nameBytes.releasePages() }

  /// Every function of that name.
  public func functions(named name: String) -> [Function] {
    guard let functions else { return [] }
    var found: [Function] = []
    functions.forEach { entry in
      if functions.isNamed(entry, name) {
        found.append(Function(name: name, address: entry.address, size: UInt64(entry.size)))
      }
    }
    return found
  }

  /// Up to `limit` function names that look like `name`, best first: what was probably meant.
  public func names(near name: String, limit: Int = 3) -> [String] {
    guard let functions else { return [] }
    var candidates = NearNames(name, limit: limit)
    functions.forEach { candidates.consider(functions.nameBytes, from: functions.nameOffset($0)) }
    return candidates.best
  }
}

extension ELFSymbols.State {
  mutating func entries(
    at addresses: [UInt64], in functions: FunctionTable?
  ) -> [FunctionTable.Entry?] {
    guard let functions else { return Array(repeating: nil, count: addresses.count) }
    if index == nil, addresses.count <= ELFSymbols.scanLimit, scans < ELFSymbols.scansBeforeIndex {
      scans += 1
      return functions.scan(for: addresses)
    }
    let index = self.index ?? FunctionIndex(functions)
    self.index = index
    return addresses.map { index.entry(at: $0) }
  }

  mutating func stub(at address: UInt64, in file: ELFFile) -> ELFSymbols.Function? {
    if linkage == nil {
      do throws(EBPFError) { linkage = try LinkageTable(file) } catch {
        linkage = LinkageTable()
        linkageError = error
      }
    }
    return linkage?.function(at: address)
  }
}
