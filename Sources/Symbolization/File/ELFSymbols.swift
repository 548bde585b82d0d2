public import EBPFObject
import EBPFSystem
import Synchronization

/// The functions of one ELF file, by address and by name.
///
/// From `.symtab`, of a separate debug file when the file itself has none; else from what stripping
/// leaves: `.gnu_debugdata`, `.dynsym`, and Go's `.gopclntab`. Calls through the procedure linkage
/// table get names of their own, `malloc@plt`. Nothing is read before the first look-up, but what is
/// compressed; then either a scan without memory, for a few addresses, or one index of 16 bytes a
/// function.
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
    /// The compressed symbol table of a stripped file, besides its dynamic symbols.
    case miniDebugInformation
    /// Go's table of functions, besides the dynamic symbols of the C code it is linked with.
    case goLineTable
    /// Only what dynamic linking needs: local functions are missing.
    case dynamicSymbols
    /// Nothing: the file is static and stripped.
    case none
  }

  /// Where the names are from.
  public let source: Source
  /// Why a source of names that the file has was passed over: it is damaged, or too new.
  public let refusals: [EBPFError]
  /// The best first.
  private let tables: [FunctionTable]
  private let lineTable: GoLineTable?
  private let file: ELFFile
  /// The bytes that names of a compressed table take.
  private let expandedSize: Int
  private let state: Mutex<State>

  fileprivate struct State {
    var searches: [FunctionSearch]
    var linkage: LinkageTable?
    var linkageError: EBPFError?
  }

  /// Chooses the symbol tables; reads nothing of them yet.
  public init(_ file: ELFFile, debugFile: ELFFile? = nil) throws(EBPFError) {
    var tables: [FunctionTable] = []
    var refusals: [EBPFError] = []
    var lineTable: GoLineTable?
    var expandedSize = 0
    var source = Source.none
    if let table = try Self.fullTable(of: file) {
      source = .symbolTable
      tables = [FunctionTable(file, table)]
    } else if let debugFile, let table = try Self.fullTable(of: debugFile) {
      source = .debugFile
      tables = [FunctionTable(debugFile, table)]
    } else {
      if let table = try file.dynamicSymbolTable, table.count > 1 {
        source = .dynamicSymbols
        tables = [FunctionTable(file, table)]
      }
      do throws(EBPFError) {
        lineTable = try GoLineTable(file)
        if lineTable != nil { source = .goLineTable }
      } catch { refusals.append(error) }
      do throws(EBPFError) {
        if let mini = try MiniDebugFile.find(in: file), let table = try Self.fullTable(of: mini) {
          source = .miniDebugInformation
          tables.insert(FunctionTable(mini, table), at: 0)
          expandedSize = table.nameBytes.count + table.count * 24
        }
      } catch { refusals.append(error) }
    }
    self.file = file
    self.source = source
    self.tables = tables
    self.lineTable = lineTable
    self.refusals = refusals
    self.expandedSize = expandedSize
    state = Mutex(State(searches: tables.map { FunctionSearch($0) }))
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
      var best = [Function?](repeating: nil, count: addresses.count)
      for index in state.searches.indices {
        for (place, entry) in state.searches[index].entries(at: addresses).enumerated() {
          guard let entry else { continue }
          // What one table says for sure counts for more than another's guess.
          if let known = best[place], known.size > 0 || entry.size == 0 { continue }
          best[place] = Function(
            name: tables[index].name(entry), address: entry.address, size: UInt64(entry.size))
        }
      }
      for (place, address) in addresses.enumerated() where best[place]?.size ?? 0 == 0 {
        best[place] =
          lineTable?.function(at: address) ?? best[place] ?? state.stub(at: address, in: file)
      }
      return best
    }
  }

  /// Why calls through the procedure linkage table have no names, when the file's relocations turned
  /// out to be damaged; known after a look-up has asked for one.
  public var linkageError: EBPFError? { state.withLock(\.linkageError) }

  /// The bytes of memory that indices and expanded tables take.
  public var indexSize: Int {
    state.withLock { $0.searches.reduce(expandedSize) { $0 + ($1.index?.byteCount ?? 0) } }
  }

  /// Builds the indices now, and says how many functions they have.
  @discardableResult
  public func buildIndex() -> Int {
    state.withLock { state in
      state.searches.indices.reduce(0) { $0 + state.searches[$1].builtIndex().count }
    }
  }

  /// True when the file the names are from became shorter while it was read.
  var wasCutShort: Bool { tables.contains { $0.nameBytes.wasCutShort } }

  /// Gives the memory of the file the names are from back to the kernel.
  func releasePages() { for table in tables { table.nameBytes.releasePages() } }

  /// Every function of that name.
  public func functions(named name: String) -> [Function] {
    var found: [Function] = []
    for table in tables {
      table.forEach { entry in
        if table.isNamed(entry, name) {
          found.append(Function(name: name, address: entry.address, size: UInt64(entry.size)))
        }
      }
    }
    return found
  }

  /// Up to `limit` function names that look like `name`, best first: what was probably meant.
  public func names(near name: String, limit: Int = 3) -> [String] {
    var candidates = NearNames(name, limit: limit)
    for table in tables {
      table.forEach { candidates.consider(table.nameBytes, from: table.nameOffset($0)) }
    }
    return candidates.best
  }
}

extension ELFSymbols.State {
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
