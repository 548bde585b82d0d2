public import EBPFObject

/// The running kernel's functions, by address: `/proc/kallsyms`, with modules and BPF programs.
///
/// One pass over the text; 16 bytes for each function plus its name are kept, nothing else. Data
/// symbols are dropped, but the address where they begin still ends the function before them.
/// Where several names share an address, a global name is preferred to a local, a local to a weak
/// one, then the name with fewer leading underscores, then the later line (as perf does).
public struct KernelSymbols: Sendable {
  /// A function of the kernel, a module or a loaded BPF program.
  public struct Function: Sendable, Hashable {
    /// The name, as `/proc/kallsyms` has it.
    public var name: String
    /// `[module]` without its brackets: nil for the kernel itself, `bpf` for BPF programs.
    public var module: String?
    /// The address of its first byte.
    public var address: UInt64
  }

  struct Entry {
    var address: UInt64
    /// Offset of the zero-terminated name in `names`.
    var name: UInt32
    /// Index into `modules`.
    var module: UInt16
    /// Lower is better; `Entry.boundary` for "no function from here on".
    var rank: UInt8

    static let boundary = UInt8.max
  }

  /// Sorted by address; one entry for each address.
  let entries: [Entry]
  let names: [UInt8]
  /// Module names; index 0 is the kernel itself.
  let modules: [String]
  /// The number of functions.
  public let count: Int

  /// Past the end of one module's last function, addresses belong to nobody.
  static let longestLastFunction: UInt64 = 1 << 20

  /// Reads the text of `/proc/kallsyms`.
  ///
  /// Throws `denied` when every address is zero, which is how the kernel hides them, `malformed`
  /// when a line is not a symbol, and `tooLarge` past 4 GiB of names or 65,535 modules.
  public init(parsing text: [UInt8]) throws(EBPFError) {
    var parser = KernelSymbolsParser()
    try parser.feed(text[...])
    try self.init(parser)
  }

  /// What a parser has been fed.
  init(_ parser: consuming KernelSymbolsParser) throws(EBPFError) {
    try parser.finish()
    if parser.functions > 0, !parser.sawAddress { throw Self.hidden }
    entries = parser.sortedEntries()
    names = parser.names
    modules = parser.modules
    count = entries.reduce(0) { $0 + ($1.rank == Entry.boundary ? 0 : 1) }
  }

  static var hidden: EBPFError {
    EBPFError(
      .denied, "the kernel hides its addresses: every address in /proc/kallsyms is zero",
      context: [.file("/proc/kallsyms")],
      hint: "run with CAP_SYSLOG, and with /proc/sys/kernel/kptr_restrict at 0 or 1")
  }

  /// The function that contains an address, or nil.
  public func function(at address: UInt64) -> Function? {
    guard let index = index(at: address) else { return nil }
    return function(entries[index])
  }

  /// The index of the entry whose function contains `address`.
  private func index(at address: UInt64) -> Int? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = low + (high - low) / 2
      if entries[middle].address <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return nil }
    let entry = entries[low - 1]
    guard entry.rank != Entry.boundary else { return nil }
    let isLastOfModule = low == entries.count || entries[low].module != entry.module
    if isLastOfModule, address - entry.address >= Self.longestLastFunction { return nil }
    return low - 1
  }

  private func function(_ entry: Entry) -> Function {
    let start = Int(entry.name)
    let end = names[start...].firstIndex(of: 0) ?? names.endIndex
    return Function(
      name: String(decoding: names[start..<end], as: UTF8.self),
      module: entry.module == 0 ? nil : modules[Int(entry.module)],
      address: entry.address)
  }

  /// Every function of that name: one a module may repeat, and `static` ones may be many.
  public func functions(named name: String) -> [Function] {
    let wanted = Array(name.utf8)
    return entries.compactMap { entry in
      guard entry.rank != Entry.boundary, hasName(entry, wanted) else { return nil }
      return function(entry)
    }
  }

  private func hasName(_ entry: Entry, _ wanted: [UInt8]) -> Bool {
    let start = Int(entry.name)
    guard names.count - start > wanted.count, names[start + wanted.count] == 0 else { return false }
    for index in wanted.indices where names[start + index] != wanted[index] { return false }
    return true
  }

  /// Up to `limit` function names that look like `name`, best first: what was probably meant.
  public func names(near name: String, limit: Int = 3) -> [String] {
    var candidates = NearNames(name, limit: limit)
    for entry in entries where entry.rank != Entry.boundary {
      let start = Int(entry.name)
      candidates.consider(names, from: start)
    }
    return candidates.best
  }
}
