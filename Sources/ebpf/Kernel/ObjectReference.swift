import ArgumentParser
import EBPF
import EBPFSystem

/// Which objects a command line means, in bpftool's words: `id N` or just `N`, `pinned PATH` or a path,
/// `name NAME`, `tag TAG`.
enum ObjectReference: Hashable {
  case id(UInt32)
  case pinned(String)
  case name(String)
  case tag(String)

  /// What the words mean; the rest are words that follow.
  ///
  /// - Parameter kind: of object; only programs have tags, and links and BTF objects no names.
  static func parse(
    _ words: [String], _ kind: KernelObjectKind
  ) throws -> (reference: ObjectReference, rest: [String]) {
    guard let first = words.first else {
      throw ValidationError("say which one: an id, or the path of a pin")
    }
    if first.contains("/") { return (.pinned(first), Array(words.dropFirst())) }
    if let id = UInt32(first) { return (.id(id), Array(words.dropFirst())) }
    let rest = Array(words.dropFirst(2))
    guard words.count > 1 else {
      throw ValidationError("'\(first)' is no id and no path; names are given as: name NAME")
    }
    switch first {
    case "id":
      guard let id = UInt32(words[1]) else {
        throw ValidationError("an id is a number, not '\(words[1])'")
      }
      return (.id(id), rest)
    case "pinned": return (.pinned(words[1]), rest)
    case "name" where kind == .program || kind == .map: return (.name(words[1]), rest)
    case "tag" where kind == .program: return (.tag(words[1]), rest)
    default:
      throw ValidationError(
        "'\(first)' does not say which one: give an id, a path, or "
          + (kind == .program
            ? "id, pinned, name or tag and a word" : "id or pinned and a word"))
    }
  }

  /// The only words of a command line.
  static func parse(only words: [String], _ kind: KernelObjectKind) throws -> ObjectReference {
    let (reference, rest) = try parse(words, kind)
    guard rest.isEmpty else { throw ValidationError("what is '\(rest[0])'?") }
    return reference
  }

  /// In words, for errors.
  var description: String {
    switch self {
    case .id(let id): "id \(id)"
    case .pinned(let path): "pinned as '\(path)'"
    case .name(let name): "named '\(name)'"
    case .tag(let tag): "with tag \(tag)"
    }
  }
}
