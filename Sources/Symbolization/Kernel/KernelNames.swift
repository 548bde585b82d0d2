public import EBPFObject
import EBPFSystem

/// The kernel's functions, read when first needed and again when one is missing.
struct KernelNames: Sendable {
  private var list: KernelSymbolList?
  /// Why there are no names.
  private(set) var error: EBPFError?
  /// How often the list was read, or another's was taken.
  private(set) var reads = 0
  private var mayRead = true
  /// Addresses that a fresh list did not have: not worth reading it again.
  private var misses: Set<UInt64> = []
  private static let mostMisses = 4096
  /// Of the kernel and its modules, by name; empty for those that have none.
  private var buildIDs: [String: String] = [:]

  /// A missing name may cause one reading in each call.
  mutating func beginCall() {
    mayRead = true
    if misses.count > Self.mostMisses { misses.removeAll() }
  }

  /// Names one address.
  mutating func frame(_ address: UInt64, isLeaf: Bool) -> SymbolizedFrame {
    let wanted = isLeaf || address == 0 ? address : address - 1
    if list == nil, error == nil {
      reads += 1
      read()
    }
    var found = list?.symbols.function(at: wanted)
    if found == nil, list != nil, mayRead, misses.insert(wanted).inserted {
      // A module or a BPF program may have been loaded since, and since another's list was read.
      reads += 1
      repeat {
        read()
        found = list?.symbols.function(at: wanted)
      } while found == nil && mayRead
    }
    var frame = SymbolizedFrame(.kernel, address)
    // The kernel's own extent is not told; the whole upper half stands for it.
    let module = found?.module ?? "kernel"
    frame.module = SymbolizedFrame.Module(
      start: 1 << 63, end: .max, fileOffset: 0, path: "[\(module)]", buildID: buildID(of: module))
    if let found {
      frame.function = found.name
      frame.functionAddress = found.address
    } else if let error {
      frame.unresolved = error.code == .denied ? .kernelHidden : .kernelUnreadable
    } else {
      frame.unresolved = .outsideFunctions
    }
    return frame
  }

  private mutating func buildID(of module: String) -> String {
    if let known = buildIDs[module] { return known }
    let path =
      module == "kernel" ? "/sys/kernel/notes" : "/sys/module/\(module)/notes/.note.gnu.build-id"
    var found: String?
    do {
      found = try ELFFile.buildID(inNotes: Bytes(try SystemFile.read(path, limit: 1 << 16)))
    } catch {
      // BPF programs have none, nor has a kernel that was linked without.
      found = nil
    }
    buildIDs[module] = found ?? ""
    return found ?? ""
  }

  /// Takes the newer list that another has read, or reads one, which is done once in a call.
  private mutating func read() {
    do throws(EBPFError) {
      let newer = try KernelSymbolList.newer(than: list)
      list = newer.list
      error = nil
      guard newer.isFresh else { return }
    } catch {
      // What was read before stays in use.
      if list == nil { self.error = error }
    }
    mayRead = false
  }
}

extension KernelSymbols {
  /// Reads `/proc/kallsyms`.
  ///
  /// Throws `denied` when the kernel hides its addresses, `unsupported` when it was built without
  /// the list (`CONFIG_KALLSYMS`).
  public static func load() throws(EBPFError) -> KernelSymbols {
    var parser = KernelSymbolsParser()
    var file = try reading { () throws(Errno) in
      try FileChunks("/proc/kallsyms", limit: 256 << 20)
    }
    while let piece = try reading({ () throws(Errno) in try file.next() }) {
      try parser.feed(piece)
    }
    return try KernelSymbols(parser)
  }

  private static func reading<Value: ~Copyable>(
    _ body: () throws(Errno) -> Value
  ) throws(EBPFError) -> Value {
    do throws(Errno) { return try body() } catch {
      throw EBPFError(
        error == .noEntry ? .unsupported : .system, "the kernel's symbols cannot be read",
        context: [.file("/proc/kallsyms")],
        systemCall: .init(call: "open", errno: error.rawValue, name: error.name),
        hint: error == .noEntry ? "the kernel needs CONFIG_KALLSYMS, and /proc mounted" : nil)
    }
  }
}
