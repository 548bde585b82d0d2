import TestSupport
import Testing

/// What bpftool says is in the kernel.
enum Kernel {
  /// `bpftool -j KIND show id ID`; nil when there is no such object.
  static func show(_ kind: String, id: Int) throws -> JSONValue? {
    let command = try Command.run(["bpftool", "-j", kind, "show", "id", String(id)])
    let document = try JSONValue(parsing: command.output)
    return command.status == 0 && document["error"] == .null ? document : nil
  }

  /// The same for an item of a document, which must be there.
  static func shown(_ kind: String, _ item: JSONValue) throws -> JSONValue {
    let id = try #require(item["id"].int)
    let found = try show(kind, id: id)
    return try #require(found, "\(kind) \(id)")
  }

  /// Whether all these are gone. The kernel frees what nobody refers to in the background, so this
  /// asks again for a while.
  static func isGone(_ kind: String, _ ids: [Int]) throws -> Bool {
    // After a grace period, of which nobody says how long it is.
    let deadline = ContinuousClock.now + .seconds(10)
    for id in ids {
      while try show(kind, id: id) != nil {
        guard ContinuousClock.now < deadline else { return false }
      }
    }
    return true
  }
}
