import EBPFObject
import EBPFSystem
import Synchronization

/// One executable or library, mapped once and shared by all processes that run it.
///
/// Nothing of it is read before the first address is asked for: a process that will end soon must only
/// be held on to.
final class ModuleFile: Sendable {
  /// Which file this is.
  let identity: ModuleIdentity
  private let bytes: Bytes
  /// The path of the process that mapped it first, for the folder of its debug file.
  private let path: String
  /// Where the file system begins that `path` is a path of.
  private let root: String
  private let state = Mutex(State())

  private struct State {
    var contents: Result<Contents, EBPFError>?
    var symbols: Result<ELFSymbols, EBPFError>?
    /// Nil when the file has no debug information that could be read.
    var sources: SourcePlaces?
    /// It has some that could not be read.
    var lacksSources = false
    var known: [UInt64: Answer] = [:]
  }

  /// What the file's headers say.
  struct Contents: Sendable {
    let elf: ELFFile
    /// In lower-case hexadecimal; empty when the file has none.
    let buildID: String
    /// Empty when Go did not link it.
    let goBuildID: String
    /// ``FileHash``; empty when it cannot be made.
    let hash: String
  }

  /// What is known about one address of the file.
  enum Answer: Sendable {
    /// In a function, and where in the sources, as far as there is debug information.
    case function(ELFSymbols.Function, SourcePlace)
    case unresolved(UnresolvedReason)
  }

  /// Beyond this many addresses everything known is forgotten, to be looked up again.
  static let mostKnown = 65_536

  init(_ bytes: Bytes, identity: ModuleIdentity, path: String, root: String = "") {
    self.identity = identity
    self.bytes = bytes
    self.path = path
    self.root = root
  }

  /// The headers, read once.
  private var contents: Result<Contents, EBPFError> {
    state.withLock { state in
      if let known = state.contents { return known }
      let contents: Result<Contents, EBPFError>
      do throws(EBPFError) {
        let elf = try ELFFile(bytes)
        contents = .success(
          Contents(
            elf: elf, buildID: try elf.buildID ?? "", goBuildID: try elf.goBuildID ?? "",
            hash: try FileHash.of(bytes) ?? ""))
      } catch { contents = .failure(error) }
      state.contents = contents
      return contents
    }
  }

  /// The file itself.
  func elf() throws(EBPFError) -> ELFFile { try contents.get().elf }

  /// Lets the kernel drop the pages that were read.
  func releasePages() { bytes.releasePages() }

  /// Drops debug information that had to be expanded, until it is asked for again.
  func releaseExpanded() { state.withLock { $0.sources?.releaseExpanded() } }

  /// False when the file is no readable ELF file.
  var isReadable: Bool { if case .success = contents { true } else { false } }

  /// In lower-case hexadecimal; empty when the file has none.
  var buildID: String { if case .success(let contents) = contents { contents.buildID } else { "" } }

  /// What the Go linker tells builds apart by; empty when it did not link the file.
  var goBuildID: String {
    if case .success(let contents) = contents { contents.goBuildID } else { "" }
  }

  /// What knows the file among others, see ``FileHash``; empty when there is none.
  var hash: String { if case .success(let contents) = contents { contents.hash } else { "" } }

  /// The memory this file takes besides what the kernel can drop again.
  var cost: Int {
    state.withLock { state in
      var cost = (bytes.isInMemory ? bytes.count : 0) + 4096 + state.known.count * 160
      if case .success(let symbols) = state.symbols { cost += symbols.indexSize }
      cost += state.sources?.cost ?? 0
      return cost
    }
  }

  /// The address, before any load bias, of the byte at an offset of the file.
  func address(ofFileOffset offset: UInt64) -> UInt64? {
    guard case .success(let contents) = contents else { return nil }
    return contents.elf.address(ofFileOffset: offset)
      ?? contents.elf.address(ofFileOffset: offset, executable: false)
  }

  /// What code has as address more in a process than in the file, modulo 2^64, where `count` bytes
  /// from a file offset are mapped at `start`. The offset is a page's, and may be before the segment.
  func bias(start: UInt64, fileOffset offset: UInt64, count: UInt64) -> UInt64? {
    guard case .success(let contents) = contents else { return nil }
    let segment = contents.elf.segments.first { segment in
      segment.type == ELFFile.SegmentType.load && segment.isExecutable
        && (segment.offset < offset
          ? offset - segment.offset < segment.fileSize : segment.offset - offset < count)
    }
    return segment.map { start &- offset &+ $0.offset &- $0.virtualAddress }
  }

  /// Looks up all addresses that are not known yet, in one pass.
  func resolve(_ addresses: some Sequence<UInt64>, debugFiles: DebugFiles) {
    let contents = contents
    state.withLock { state in
      if state.known.count > Self.mostKnown { state.known.removeAll() }
      let missing = addresses.filter { state.known[$0] == nil }
      guard !missing.isEmpty else { return }
      if state.symbols == nil { openSymbols(contents, debugFiles, &state) }
      guard let symbols = state.symbols else { return }
      switch symbols {
      case .failure: for address in missing { state.known[address] = .unresolved(.malformedFile) }
      case .success(let symbols):
        let isStripped = symbols.source == .none || symbols.source == .dynamicSymbols
        let reason: UnresolvedReason = isStripped ? .noSymbols : .outsideFunctions
        let functions = symbols.functions(at: missing)
        let sources = state.sources?.places(at: missing)
        let isWhole =
          !symbols.wasCutShort && !bytes.wasCutShort && state.sources?.wasCutShort != true
        for (index, (address, function)) in zip(missing, functions).enumerated() {
          let answer =
            function.map {
              Answer.function($0, sources?[index] ?? SourcePlace(isPartial: state.lacksSources))
            }
            ?? .unresolved(reason)
          state.known[address] = isWhole ? answer : .unresolved(.malformedFile)
        }
        symbols.releasePages()
        bytes.releasePages()
      }
    }
  }

  private func openSymbols(
    _ contents: Result<Contents, EBPFError>, _ debugFiles: DebugFiles, _ state: inout State
  ) {
    do throws(EBPFError) {
      let elf = try contents.get().elf
      let isStripped = elf.section(ofType: ELFFile.SectionType.symbolTable) == nil
      let debugFile = isStripped ? try debugFiles.find(for: elf, path: path, root: root) : nil
      state.symbols = .success(try ELFSymbols(elf, debugFile: debugFile))
      // Functions have their names without it.
      do throws(EBPFError) { state.sources = try SourcePlaces(debugFile ?? elf) } catch {
        state.lacksSources = true
      }
    } catch { state.symbols = .failure(error) }
  }

  /// What is known about an address that was resolved before.
  func answer(_ address: UInt64) -> Answer {
    state.withLock { $0.known[address] } ?? .unresolved(.outsideFunctions)
  }
}
