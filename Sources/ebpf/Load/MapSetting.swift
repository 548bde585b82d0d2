import ArgumentParser

/// A `--map NAME:max_entries=N` argument.
struct MapSetting: ExpressibleByArgument {
  let map: String
  let maxEntries: UInt32

  init?(argument: String) {
    guard let colon = argument.lastIndex(of: ":"), colon != argument.startIndex else { return nil }
    let setting = argument[argument.index(after: colon)...].split(
      separator: "=", omittingEmptySubsequences: false)
    guard setting.count == 2, setting[0] == "max_entries", let count = UInt32(setting[1]) else {
      return nil
    }
    map = String(argument[..<colon])
    maxEntries = count
  }
}
