internal import Profiles

extension ProfileOptions.Recording {
  /// One thing that is known about a recording.
  struct Fact {
    let label: String
    let value: String
  }

  /// What is known, in the order in which to print it.
  var facts: [Fact] {
    var facts: [Fact] = []
    func add(_ label: String, _ value: String?) {
      if let value, !value.isEmpty { facts.append(Fact(label: label, value: value)) }
    }
    add("host", host)
    add("kernel", kernel)
    add("command", commandLine)
    add("rate", frequency.map { "\(plainNumber($0)) Hz" })
    add("processors", processors.map(String.init))
    add("samples", samples.map(String.init))
    add("written by", tool)
    for (label, count) in [
      ("dropped", dropped), ("truncated", truncated), ("unresolved", unresolved),
    ] where count > 0 {
      facts.append(Fact(label: label, value: String(count)))
    }
    return facts
  }
}

/// A number without a fraction of zero.
func plainNumber(_ value: Double) -> String {
  if let whole = Int64(exactly: value) { return String(whole) }
  return "\((value * 100).rounded() / 100)"
}
