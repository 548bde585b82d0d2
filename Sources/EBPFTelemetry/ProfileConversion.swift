internal import EBPFTracers
internal import OTLP
internal import Profiles

/// One profile on its way to a request.
struct ProfileConversion {
  private(set) var statistics = ConversionStatistics()
  private let profile: Profile
  private let options: TelemetryOptions
  private let start: UInt64
  private let duration: UInt64
  private var batch = ProfileBatch()
  private var generator = SystemRandomNumberGenerator()
  private var mappings: [Int: ProfileDictionary.Index] = [:]
  private var stacks: [Int: ProfileDictionary.Index] = [:]

  init(_ profile: Profile, _ options: TelemetryOptions, window: Range<UInt64>?) {
    self.profile = profile
    self.options = options
    start = window?.lowerBound ?? profile.startTime
    duration = window.map { $0.upperBound - $0.lowerBound } ?? profile.duration
  }

  /// The request; nil where there are no samples.
  mutating func export() -> TelemetryExport? {
    var groups: [Owner: [Profile.Sample]] = [:]
    for sample in profile.samples {
      guard isSound(sample) else {
        statistics.drop(.malformed)
        continue
      }
      groups[owner(of: profile.processes[sample.process]), default: []].append(sample)
    }
    // Viewers show the first.
    let sorted = groups.map { ($0, $1, weight($1)) }.sorted {
      ($1.2, $0.0.order) < ($0.2, $1.0.order)
    }
    for (owner, samples, _) in sorted { add(samples, of: owner) }
    return batch.export()
  }

  /// What a resource is made of: the container of processes, and what they say of themselves.
  private struct Owner: Hashable {
    var container: ContainerIdentity?
    var resource: Int?

    var order: String { (container?.id ?? "") + " \(resource ?? -1)" }
  }

  private func weight(_ samples: [Profile.Sample]) -> Int64 {
    samples.reduce(0) { $0.addingReportingOverflow($1.values.last ?? 0).partialValue }
  }

  private func isSound(_ sample: Profile.Sample) -> Bool {
    profile.processes.indices.contains(sample.process)
      && profile.stacks.indices.contains(sample.stack)
      && sample.values.count == profile.valueTypes.count
      && profile.stacks[sample.stack].allSatisfy { index in
        guard profile.frames.indices.contains(index) else { return false }
        return profile.frames[index].mapping.map(profile.mappings.indices.contains) ?? true
      } && sample.span.map(profile.spans.indices.contains) ?? true
      && profile.processes[sample.process].resource.map(profile.resources.indices.contains) ?? true
  }

  private func owner(of process: Profile.Process) -> Owner {
    Owner(
      container: process.cgroup.flatMap {
        $0 == 0 ? nil : options.containers?.place(of: $0)?.container
      }, resource: process.resource)
  }

  // MARK: - Samples

  /// What tells samples apart (profiles.proto, "A Sample's identity").
  private struct Identity: Hashable {
    var stack: ProfileDictionary.Index
    var attributes: [ProfileDictionary.Index]
    var link: ProfileDictionary.Index
  }

  private mutating func add(_ samples: [Profile.Sample], of owner: Owner) {
    let period = profile.period > 0 ? (valueType(profile.periodType), profile.period) : nil
    var profiles: [ProfileData] = []
    for (index, type) in profile.valueTypes.enumerated() {
      var known: [Identity: Int] = [:]
      var entries: [ProfileData.Sample] = []
      for sample in samples where sample.values[index] != 0 {
        let identity = Identity(
          stack: stack(sample.stack), attributes: attributes(of: profile.processes[sample.process]),
          link: link(sample.span))
        if let place = known[identity] {
          entries[place].value &+= sample.values[index]
        } else {
          known[identity] = entries.count
          entries.append(
            ProfileData.Sample(
              stack: identity.stack, attributes: identity.attributes, link: identity.link,
              value: sample.values[index]))
        }
      }
      guard !entries.isEmpty else { continue }
      statistics.samples += UInt64(entries.count)
      profiles.append(
        ProfileData(
          id: .random(using: &generator), valueType: valueType(type), period: period,
          start: start, duration: duration, samples: entries))
    }
    var resource = options.observed
    var list = AttributeList(limit: options.attributeLengthLimit)
    if let container = owner.container { list.add(container) }
    if let own = owner.resource {
      resource = resource.withoutService
      list.add(profile.resources[own])
    }
    statistics.truncated += list.truncated
    batch.add(profiles, resource: resource.merging(list.attributes), scope: options.scope)
  }

  /// 0 for no span.
  private mutating func link(_ index: Int?) -> ProfileDictionary.Index {
    guard let index else { return 0 }
    let span = profile.spans[index]
    guard let trace = TraceID(high: span.traceHigh, low: span.traceLow),
      let id = SpanID(span.spanID)
    else { return 0 }
    return batch.dictionary.link(trace: trace, span: id)
  }

  private func valueType(_ type: Profile.ValueType) -> ProfileData.ValueType {
    ProfileData.ValueType(type.type, unit: type.unit)
  }

  private lazy var separatesThreads = profile.processes.contains { $0.pid != $0.tid }

  private mutating func attributes(of process: Profile.Process) -> [ProfileDictionary.Index] {
    var list = AttributeList(limit: options.attributeLengthLimit)
    list.add(Key.processID, process.pid)
    if separatesThreads { list.add(Key.threadID, process.tid) }
    list.add(Key.threadName, process.command)
    return list.attributes.map { batch.dictionary.attribute($0) }
  }

  // MARK: - Stacks

  private mutating func stack(_ index: Int) -> ProfileDictionary.Index {
    if let known = stacks[index] { return known }
    var locations: [ProfileDictionary.Index] = []
    // Functions that were inlined come before the one whose code they are in, and share its place.
    var place: [Profile.Frame] = []
    for frame in profile.stacks[index].map({ profile.frames[$0] }) {
      place.append(frame)
      guard !frame.isInlined else { continue }
      locations.append(location(place))
      place = []
    }
    if !place.isEmpty { locations.append(location(place)) }
    let stack = batch.dictionary.stack(locations)
    stacks[index] = stack
    return stack
  }

  private mutating func location(_ frames: [Profile.Frame]) -> ProfileDictionary.Index {
    var lines: [ProfileDictionary.Line] = []
    for frame in frames {
      guard let name = frame.name else { continue }
      let function = batch.dictionary.function(
        name: cut(name), systemName: cut(frame.systemName ?? ""),
        file: cut(frame.sourceFile ?? ""))
      lines.append(ProfileDictionary.Line(function: function, line: Int64(frame.line)))
    }
    guard let code = frames.last else { return 0 }
    var attributes: [ProfileDictionary.Index] = []
    if let type = FrameType.of(code, in: code.mapping.map { profile.mappings[$0] }) {
      attributes.append(batch.dictionary.attribute(Attribute(Key.frameType, type)))
    }
    return batch.dictionary.location(
      mapping: code.mapping.map { mapping($0) } ?? 0, address: code.address, lines: lines,
      attributes: attributes)
  }

  private mutating func cut(_ text: String) -> String {
    guard text.utf8.count > options.attributeLengthLimit else { return text }
    statistics.truncated += 1
    return AttributeList.cut(text, to: options.attributeLengthLimit)
  }

  /// 0 for a mapping that nothing knows among others, which a mapping must not be.
  private mutating func mapping(_ index: Int) -> ProfileDictionary.Index {
    if let known = mappings[index] { return known }
    let mapping = profile.mappings[index]
    let names = [
      (Key.buildIDGNU, mapping.buildID), (Key.buildIDGo, mapping.goBuildID),
      (Key.buildIDHash, mapping.fileHash),
    ].filter { !$0.1.isEmpty }
    var found: ProfileDictionary.Index = 0
    if !names.isEmpty {
      found = batch.dictionary.mapping(
        start: mapping.start, end: mapping.end, fileOffset: mapping.fileOffset,
        file: cut(mapping.path),
        attributes: names.map { batch.dictionary.attribute(Attribute($0.0, $0.1)) })
    }
    mappings[index] = found
    return found
  }
}
