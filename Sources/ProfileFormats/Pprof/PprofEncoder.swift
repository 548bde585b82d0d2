internal import Compression
internal import Profiles
internal import SwiftProtobuf

/// A profile as pprof's messages, gzipped as pprof wants them in files.
///
/// A mapping's id is its index plus one. A location is a place in code: a frame with those that were
/// inlined there, which are lines of it, the innermost first.
struct PprofEncoder {
  static func encode(
    _ profile: Profiles.Profile, options: ProfileOptions
  ) throws(ProfileFormatError) -> [UInt8] {
    try profile.check()
    let preferred = try options.valueIndex(of: profile, default: profile.valueTypes.count - 1)
    var encoder = PprofEncoder()
    encoder.fill(profile, options, preferred)
    let bytes: [UInt8]
    do {
      bytes = try encoder.message.serializedBytes()
    } catch {
      throw ProfileFormatError(
        "the profile does not fit into a protocol buffer: \(error)",
        hint: "a message holds at most 2 GiB; record for a shorter time")
    }
    do throws(CompressionError) { return try Gzip.compress(bytes) } catch {
      throw ProfileFormatError(error.message, hint: "record for a shorter time")
    }
  }

  private struct FunctionKey: Hashable {
    let name: Int64
    let systemName: Int64
    let file: Int64
  }

  private var message = Perftools_Profiles_Profile()
  private var strings: [String: Int64] = ["": 0]
  private var functions: [FunctionKey: UInt64] = [:]
  private var locations: [ArraySlice<Int>: UInt64] = [:]

  private init() { message.stringTable = [""] }

  private mutating func fill(
    _ profile: Profiles.Profile, _ options: ProfileOptions, _ preferred: Int
  ) {
    message.sampleType = profile.valueTypes.map { valueType($0) }
    message.periodType = valueType(profile.periodType)
    message.period = profile.period
    message.timeNanos = Int64(clamping: profile.startTime)
    message.durationNanos = Int64(clamping: profile.duration)
    message.defaultSampleType = string(profile.valueTypes[preferred].type)
    addMappings(of: profile)
    addSamples(of: profile)
    for fact in options.recording.facts {
      message.comment.append(string("\(fact.label): \(fact.value)"))
    }
  }

  private mutating func addMappings(of profile: Profiles.Profile) {
    var isNamed = [Bool](repeating: false, count: profile.mappings.count)
    var hasFiles = isNamed
    var hasLines = isNamed
    for frame in profile.frames {
      guard let mapping = frame.mapping else { continue }
      if frame.name != nil { isNamed[mapping] = true }
      if frame.sourceFile != nil { hasFiles[mapping] = true }
      if frame.line > 0 { hasLines[mapping] = true }
    }
    for (index, mapping) in profile.mappings.enumerated() {
      var entry = Perftools_Profiles_Mapping()
      entry.id = UInt64(index) + 1
      entry.memoryStart = mapping.start
      entry.memoryLimit = mapping.end
      entry.fileOffset = mapping.fileOffset
      entry.filename = string(mapping.path)
      entry.buildID = string(mapping.buildID)
      entry.hasFunctions_p = isNamed[index]
      entry.hasFilenames_p = hasFiles[index]
      entry.hasLineNumbers_p = hasLines[index]
      message.mapping.append(entry)
    }
  }

  /// The location of a frame, which comes after those that were inlined into it.
  private mutating func location(
    _ indices: ArraySlice<Int>, of profile: Profiles.Profile
  ) -> UInt64 {
    if let known = locations[indices] { return known }
    var location = Perftools_Profiles_Location()
    location.id = UInt64(locations.count) + 1
    for index in indices {
      let frame = profile.frames[index]
      location.mappingID = UInt64((frame.mapping ?? -1) + 1)
      location.address = frame.address
      guard let name = frame.name else { continue }
      var line = Perftools_Profiles_Line()
      line.functionID = function(name, frame)
      line.line = Int64(frame.line)
      location.line.append(line)
    }
    message.location.append(location)
    locations[indices] = location.id
    return location.id
  }

  /// The places in code of a stack: each frame with those that were inlined into it.
  private static func places(_ stack: [Int], of profile: Profiles.Profile) -> [ArraySlice<Int>] {
    var places: [ArraySlice<Int>] = []
    var first = stack.startIndex
    for (place, index) in stack.enumerated() where !profile.frames[index].isInlined {
      places.append(stack[first...place])
      first = place + 1
    }
    if first < stack.endIndex { places.append(stack[first...]) }
    return places
  }

  private mutating func addSamples(of profile: Profiles.Profile) {
    let places = profile.stacks.map { Self.places($0, of: profile) }
    // In the order of the frames.
    let all = Set(places.joined()).sorted { $0.reversed().lexicographicallyPrecedes($1.reversed()) }
    for place in all { _ = location(place, of: profile) }
    let locations = places.map { $0.map { location($0, of: profile) } }
    let labels = profile.processes.map { process in
      [
        label("pid", number: Int64(process.pid)), label("tid", number: Int64(process.tid)),
        label("comm", text: process.command),
      ]
    }
    let spans = profile.spans.map { span in
      [
        label("trace_id", text: Self.hexadecimal(span.traceHigh) + Self.hexadecimal(span.traceLow)),
        label("span_id", text: Self.hexadecimal(span.spanID)),
      ]
    }
    message.sample.reserveCapacity(profile.samples.count)
    for sample in profile.samples {
      var entry = Perftools_Profiles_Sample()
      entry.locationID = locations[sample.stack]
      entry.value = sample.values
      entry.label = labels[sample.process] + (sample.span.map { spans[$0] } ?? [])
      message.sample.append(entry)
    }
  }

  private static func hexadecimal(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private mutating func label(_ key: String, number: Int64) -> Perftools_Profiles_Label {
    var label = Perftools_Profiles_Label()
    label.key = string(key)
    label.num = number
    return label
  }

  private mutating func label(_ key: String, text: String) -> Perftools_Profiles_Label {
    var label = Perftools_Profiles_Label()
    label.key = string(key)
    label.str = string(text)
    return label
  }

  private mutating func function(_ name: String, _ frame: Profiles.Profile.Frame) -> UInt64 {
    let key = FunctionKey(
      name: string(name), systemName: string(frame.systemName ?? name),
      file: string(frame.sourceFile ?? ""))
    if let known = functions[key] { return known }
    var function = Perftools_Profiles_Function()
    function.id = UInt64(functions.count) + 1
    function.name = key.name
    function.systemName = key.systemName
    function.filename = key.file
    message.function.append(function)
    functions[key] = function.id
    return function.id
  }

  private mutating func valueType(
    _ type: Profiles.Profile.ValueType
  ) -> Perftools_Profiles_ValueType {
    var entry = Perftools_Profiles_ValueType()
    entry.type = string(type.type)
    entry.unit = string(type.unit)
    return entry
  }

  /// The index of `text` in the string table.
  private mutating func string(_ text: String) -> Int64 {
    if let known = strings[text] { return known }
    let index = Int64(strings.count)
    strings[text] = index
    message.stringTable.append(text)
    return index
  }
}
