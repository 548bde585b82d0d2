import Profiles

/// The functions of a profile's stacks, for tables and documents.
struct StackNames {
  private let profile: Profile

  init(_ profile: Profile) { self.profile = profile }

  /// The functions of a stack, leaf first; an address where there is no name.
  func names(_ stack: Int) -> [String] {
    guard profile.stacks.indices.contains(stack) else { return [] }
    return profile.stacks[stack].map { index in
      let frame = profile.frames[index]
      return frame.name ?? "0x" + String(frame.address, radix: 16)
    }
  }

  /// The first functions, `leaf < caller < its caller`.
  func brief(_ stack: Int, depth: Int = 4) -> String {
    let names = names(stack)
    let shown = names.prefix(depth).joined(separator: " < ")
    return names.count > depth ? shown + " < …" : shown
  }
}
