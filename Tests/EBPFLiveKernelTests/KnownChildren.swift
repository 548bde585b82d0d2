import EBPFTracers
import TestSupport

/// What the program `processes` says of the children that it started, by its own clock and wait(2).
struct KnownChildren {
  struct Child {
    let kind: String
    let process: Int32
    /// What wait(2) gave.
    let status: Int32
    let before: UInt64
    let after: UInt64

    /// How it ended.
    var ending: ProcessRun.Ending {
      status & 0x7f == 0
        ? .exited(status >> 8 & 0xff) : .killed(signal: status & 0x7f, dumpsCore: false)
    }
  }

  struct Failure: Error {
    let description: String
  }

  let children: [Child]

  /// The file that the program wrote.
  init(file: String) throws {
    let text = String(decoding: try contents(ofFile: file), as: UTF8.self)
    children = try text.split(separator: "\n").map { line in
      let words = line.split(separator: " ")
      guard words.count == 5, let process = Int32(words[1]), let status = Int32(words[2]),
        let before = UInt64(words[3]), let after = UInt64(words[4])
      else { throw Failure(description: "no line of a child: \(line)") }
      return Child(
        kind: String(words[0]), process: process, status: status, before: before, after: after)
    }
  }

  /// The kinds of children, with how each ends.
  static let endings: [String: ProcessRun.Ending] = [
    "exit0": .exited(0), "exit3": .exited(3), "kill": .killed(signal: 9, dumpsCore: false),
    "copy": .exited(4), "twice": .exited(5), "threads": .exited(0), "leader": .exited(6),
    "many": .exited(0),
  ]
}

extension [ProcessEvent] {
  /// The programs that ended.
  var ended: [ProcessRun] {
    compactMap { if case .ended(let run) = $0 { run } else { nil } }
  }

  /// The programs that began.
  var began: [ProcessRun] {
    compactMap { if case .began(let run) = $0 { run } else { nil } }
  }
}
