internal import Profiles
internal import SwiftProtobuf

/// A profile as pprof's messages, gzipped as pprof wants them in files.
///
/// Ids are indices plus one, so that a location is a frame and a mapping a mapping.
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
    return try Gzip.compress(bytes)
  }

  private struct FunctionKey: Hashable {
    let name: Int64
    let systemName: Int64
    let file: Int64
  }

  private var message = Perftools_Profiles_Profile()
  private var strings: [String: Int64] = ["": 0]
  private var functions: [FunctionKey: UInt64] = [:]

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
    message.location.reserveCapacity(profile.frames.count)
    for (index, frame) in profile.frames.enumerated() { addLocation(UInt64(index) + 1, frame) }
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

  private mutating func addLocation(_ id: UInt64, _ frame: Profiles.Profile.Frame) {
    var location = Perftools_Profiles_Location()
    location.id = id
    location.mappingID = UInt64((frame.mapping ?? -1) + 1)
    location.address = frame.address
    if let name = frame.name {
      var line = Perftools_Profiles_Line()
      line.functionID = function(name, frame)
      line.line = Int64(frame.line)
      location.line = [line]
    }
    message.location.append(location)
  }

  private mutating func addSamples(of profile: Profiles.Profile) {
    let locations = profile.stacks.map { $0.map { UInt64($0) + 1 } }
    let labels = profile.processes.map { process in
      [
        label("pid", number: Int64(process.pid)), label("tid", number: Int64(process.tid)),
        label("comm", text: process.command),
      ]
    }
    message.sample.reserveCapacity(profile.samples.count)
    for sample in profile.samples {
      var entry = Perftools_Profiles_Sample()
      entry.locationID = locations[sample.stack]
      entry.value = sample.values
      entry.label = labels[sample.process]
      message.sample.append(entry)
    }
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
