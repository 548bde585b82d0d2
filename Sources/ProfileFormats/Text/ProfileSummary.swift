internal import Profiles

/// The heading of a picture: a title, and what is known about the recording.
struct ProfileSummary {
  /// A value with the words around it: `on` **server-1**, **34,512** `samples`.
  struct Fact {
    var before = ""
    let value: String
    var after = ""
    /// Whether it says that the profile is not the whole truth.
    var isWarning = false

    /// The fact as one phrase.
    var text: String { [before, value, after].filter { !$0.isEmpty }.joined(separator: " ") }
  }

  let title: String
  private(set) var facts: [Fact] = []

  init(_ profile: Profile, _ options: ProfileOptions, valueType: Int) {
    let recording = options.recording
    title = options.title ?? Self.title(of: profile.valueTypes[valueType])
    let counted = profile.valueTypes.firstIndex { $0.unit == "count" }
    let counts = counted.map { index in
      profile.samples.reduce(Int64(0)) { saturatingSum($0, max(0, $1.values[index])) }
    }
    if let samples = recording.samples ?? counts.map({ UInt64($0) }) {
      facts.append(Fact(value: grouped(samples), after: samples == 1 ? "sample" : "samples"))
    }
    if profile.duration > 0 { facts.append(Fact(value: seconds(profile.duration))) }
    if let frequency = recording.frequency {
      facts.append(Fact(value: "\(plainNumber(frequency)) Hz"))
    }
    if let processors = recording.processors {
      facts.append(Fact(value: "\(processors)", after: processors == 1 ? "CPU" : "CPUs"))
    }
    let processes = Set(profile.processes.map(\.pid)).count
    if processes > 1 { facts.append(Fact(value: "\(processes)", after: "processes")) }
    if let host = recording.host { facts.append(Fact(before: "on", value: host)) }
    if let kernel = recording.kernel { facts.append(Fact(before: "Linux", value: kernel)) }
    if let tool = recording.tool { facts.append(Fact(before: "by", value: tool)) }
    for (count, noun, verb) in [
      (recording.dropped, "sample", "lost"), (recording.truncated, "stack", "cut off"),
      (recording.unresolved, "frame", "without a name"),
    ] where count > 0 {
      let after = "\(noun)\(count == 1 ? "" : "s") \(verb)"
      facts.append(Fact(value: grouped(count), after: after, isWarning: true))
    }
  }

  private static func title(of type: Profile.ValueType) -> String {
    switch type.type {
    case "cpu", "samples": "CPU profile"
    case "": "Profile"
    default: type.type.prefix(1).uppercased() + type.type.dropFirst() + " profile"
    }
  }
}

/// A number with a comma before every three digits.
func grouped(_ value: some BinaryInteger) -> String {
  var text = ""
  let digits = String(value)
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index).isMultiple(of: 3), digits.first != "-" || index > 1 {
      text.append(",")
    }
    text.append(digit)
  }
  return text
}

/// A time in seconds with one decimal, or in milliseconds when it is short.
func seconds(_ nanoseconds: UInt64) -> String {
  if nanoseconds < 1_000_000_000 { return "\(nanoseconds / 1_000_000) ms" }
  let tenths = nanoseconds / 100_000_000
  return "\(grouped(tenths / 10)).\(tenths % 10) s"
}
