import ArgumentParser

/// A `--map NAME:max_entries=N` argument.
struct MapSetting {
  let map: String
  let maxEntries: UInt32

  init(_ argument: String) throws {
    guard let colon = argument.lastIndex(of: ":"), colon != argument.startIndex else {
      throw ValidationError("'\(argument)' is not of the form NAME:max_entries=N")
    }
    let setting = argument[argument.index(after: colon)...].split(
      separator: "=", omittingEmptySubsequences: false)
    guard setting.count == 2, setting[0] == "max_entries" else {
      throw ValidationError("only max_entries can be set: '\(argument[..<colon]):max_entries=N'")
    }
    guard let count = UInt32(setting[1]) else {
      throw ValidationError("max_entries takes 0 to \(UInt32.max), not '\(setting[1])'")
    }
    map = String(argument[..<colon])
    maxEntries = count
  }
}
