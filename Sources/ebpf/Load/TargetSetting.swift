import ArgumentParser
import EBPF

/// A `--target [NAME=]ID|PATH` argument.
struct TargetSetting {
  /// The program that attaches; nil for all that replace a function.
  let program: String?
  let target: TargetProgram

  init(_ argument: String) throws {
    var words = argument[...]
    var name: String?
    // A path may hold the sign as well; names of programs hold no slash.
    if let sign = argument.firstIndex(of: "="), !argument[..<sign].contains("/") {
      name = String(argument[..<sign])
      words = argument[argument.index(after: sign)...]
    }
    guard name != "", !words.isEmpty else {
      throw ValidationError("'\(argument)' is not of the form [NAME=]ID or [NAME=]PATH")
    }
    program = name
    if words.contains("/") {
      target = .pinned(String(words))
    } else if let id = UInt32(words) {
      target = .id(id)
    } else {
      throw ValidationError(
        "a target is the id of a program or the path of its pin, not '\(words)'")
    }
  }

  func apply(to options: inout LoadOptions, _ object: ObjectFile) {
    if let program { return options.setAttachTarget(of: program, to: target) }
    for spec in object.programs where spec.type == .replacement {
      options.setAttachTarget(of: spec.name, to: target)
    }
  }
}
