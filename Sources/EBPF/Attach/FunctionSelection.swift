internal import EBPFSystem

/// The kernel functions that a link of many is asked for, in one of the two forms it takes.
///
/// A pattern means the functions that the kernel can trace, by any of their names: tracefs lists one
/// name for each place, and a system call without arguments has three. Places are told by their
/// addresses, because names may be shared; where the kernel hides addresses, by the listed names.
struct FunctionSelection {
  private(set) var names: [String] = []
  private(set) var addresses: [UInt64] = []
  var count: Int { names.count + addresses.count }

  /// Names without `*` and `?` stand for themselves; patterns that match nothing are an error.
  init(of patterns: [String]) throws(EBPFError) {
    guard patterns.contains(where: Glob.isPattern) else {
      names = patterns
      return
    }
    let traceable = TraceablePlaces()
    var matches = [[(address: UInt64, name: ArraySlice<UInt8>)]](
      repeating: [], count: patterns.count)
    let globs = patterns.map(Glob.init)
    var places = traceable.known
    try KernelSymbolNames.forEachFunction { (address, name) in
      places?[name]?.addresses.append(address)
      for (index, glob) in globs.enumerated() where glob.matches(name) {
        matches[index].append((address, name))
      }
    }
    let isHidden = matches.allSatisfy { $0.allSatisfy { $0.address == 0 } }
    let allowed = places.map { TraceablePlaces.addresses($0) }
    for (index, pattern) in patterns.enumerated() {
      let isExact = !Glob.isPattern(pattern)
      let found = matches[index].filter { match in
        guard !isExact, let allowed, let places else { return true }
        return isHidden ? places[match.name] != nil : allowed.contains(match.address)
      }
      guard !found.isEmpty else {
        throw EBPFError(.notFound, "no function of the kernel matches '\(pattern)'")
      }
      if isHidden {
        names += found.map { String(decoding: $0.name, as: UTF8.self) }
      } else {
        addresses += found.map(\.address)
      }
    }
    names = Set(names).sorted()
    addresses = Set(addresses).sorted()
  }
}

extension FunctionSelection {
  /// Whether the kernel can trace a function, by any of its names; nil where tracefs does not tell.
  static func isTraceable(_ function: String) throws(EBPFError) -> Bool? {
    guard var places = TraceablePlaces().known else { return nil }
    let wanted = Array(function.utf8)
    guard places[wanted[...]] == nil else { return true }
    var own: Set<UInt64> = []
    try KernelSymbolNames.forEachFunction { (address, name) in
      places[name]?.addresses.append(address)
      if name.elementsEqual(wanted) { own.insert(address) }
    }
    return !own.isDisjoint(with: TraceablePlaces.addresses(places))
  }
}

/// What `available_filter_functions` of tracefs lists.
private struct TraceablePlaces {
  /// How often a name is listed, and where the kernel has functions of that name.
  struct Name {
    var count = 0
    var addresses: [UInt64] = []
  }

  /// Nil where tracefs does not have the list: the kernel traces no functions, or hides it.
  let known: [ArraySlice<UInt8>: Name]?

  init() {
    let text: [UInt8]
    do throws(EBPFError) {
      let path = try Tracefs.mounted().directory + "/available_filter_functions"
      do throws(Errno) { text = try SystemFile.read(path, limit: 64 << 20) } catch {
        known = nil
        return
      }
    } catch {
      known = nil
      return
    }
    var names: [ArraySlice<UInt8>: Name] = [:]
    names.reserveCapacity(text.count / 24)
    // `name`, or `name [module]`.
    for line in text.split(separator: UInt8(ascii: "\n")) {
      names[line.prefix { $0 != UInt8(ascii: " ") }, default: Name()].count += 1
    }
    known = names
  }

  /// Where the listed functions are. Of several functions with one name that are not all listed,
  /// nobody knows which ones are meant: none of them.
  static func addresses(_ names: [ArraySlice<UInt8>: Name]) -> Set<UInt64> {
    var addresses: Set<UInt64> = []
    for name in names.values where name.addresses.count <= name.count {
      addresses.formUnion(name.addresses)
    }
    return addresses
  }
}
