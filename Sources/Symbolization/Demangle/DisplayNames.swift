/// Names for people, each demangled once.
struct DisplayNames: Sendable {
  private let demangler: Demangler
  private var known: [String: String] = [:]
  /// Beyond this many everything is forgotten, to be demangled again.
  private static let mostKnown = 65_536

  init(_ demangler: Demangler) { self.demangler = demangler }

  /// Gives a frame its names.
  mutating func name(_ frame: inout SymbolizedFrame, _ systemName: String) {
    let function = known[systemName] ?? make(systemName)
    known[systemName] = function
    frame.function = function
    if function != systemName { frame.systemName = systemName }
  }

  private mutating func make(_ name: String) -> String {
    if known.count >= Self.mostKnown { known.removeAll() }
    // `memcpy@@GLIBC_2.14` has a version, `malloc@plt` is a stub.
    guard let at = name.firstIndex(of: "@"), at != name.startIndex else {
      return demangler.demangle(name)
    }
    let plain = demangler.demangle(String(name[..<at]))
    return name.hasSuffix("@plt") ? plain + "@plt" : plain
  }
}
