internal import OTLPMessages

/// One profile: how much of one thing was seen in which stacks.
public struct ProfileData: Sendable {
  /// A quantity and its unit: `cpu` in `nanoseconds`.
  public struct ValueType: Sendable, Hashable {
    /// The quantity.
    public var type: String
    /// Its unit.
    public var unit: String

    /// Creates a value type.
    public init(_ type: String, unit: String) {
      self.type = type
      self.unit = unit
    }
  }

  /// How much was seen in one stack.
  public struct Sample: Sendable, Hashable {
    /// The stack.
    public var stack: ProfileDictionary.Index
    /// What else tells it from others.
    public var attributes: [ProfileDictionary.Index]
    /// The span that was at work; 0 for none.
    public var link: ProfileDictionary.Index
    /// How much.
    public var value: Int64

    /// Creates a sample.
    public init(
      stack: ProfileDictionary.Index, attributes: [ProfileDictionary.Index] = [],
      link: ProfileDictionary.Index = 0, value: Int64
    ) {
      self.stack = stack
      self.attributes = attributes
      self.link = link
      self.value = value
    }
  }

  /// What identifies it.
  public var id: TraceID
  /// What is counted.
  public var valueType: ValueType
  /// What lies between two samples; nil when they are not taken at a distance.
  public var period: (type: ValueType, value: Int64)?
  /// When recording began, in nanoseconds since 1970.
  public var start: UInt64
  /// How long was recorded, in nanoseconds.
  public var duration: UInt64
  /// What was seen, one element for each stack, attributes and link.
  public var samples: [Sample]

  /// Creates a profile.
  public init(
    id: TraceID, valueType: ValueType, period: (type: ValueType, value: Int64)? = nil,
    start: UInt64, duration: UInt64, samples: [Sample]
  ) {
    self.id = id
    self.valueType = valueType
    self.period = period
    self.start = start
    self.duration = duration
    self.samples = samples
  }
}

/// Profiles of several resources over one dictionary: one request.
public struct ProfileBatch: Sendable {
  /// What the profiles refer to.
  public var dictionary = ProfileDictionary()
  private var resources: [Opentelemetry_Proto_Profiles_V1development_ResourceProfiles] = []

  /// An empty batch.
  public init() {}

  /// Adds profiles of one resource and scope; without any nothing.
  public mutating func add(_ profiles: [ProfileData], resource: Resource, scope: Scope) {
    guard !profiles.isEmpty else { return }
    var scoped = Opentelemetry_Proto_Profiles_V1development_ScopeProfiles()
    scoped.scope = scope.message
    scoped.schemaURL = scope.schemaURL
    scoped.profiles = profiles.map { message($0) }
    var owned = Opentelemetry_Proto_Profiles_V1development_ResourceProfiles()
    owned.resource = resource.message
    owned.schemaURL = resource.schemaURL
    owned.scopeProfiles = [scoped]
    resources.append(owned)
  }

  /// The request; nil when nothing was added.
  public func export() -> TelemetryExport? {
    guard !resources.isEmpty else { return nil }
    typealias Request =
      Opentelemetry_Proto_Collector_Profiles_V1development_ExportProfilesServiceRequest
    var request = Request()
    request.resourceProfiles = resources
    request.dictionary = dictionary.message
    return TelemetryExport(.profiles(request))
  }

  private mutating func message(
    _ profile: ProfileData
  ) -> Opentelemetry_Proto_Profiles_V1development_Profile {
    var message = Opentelemetry_Proto_Profiles_V1development_Profile()
    message.profileID = profile.id.data
    message.sampleType = self.message(profile.valueType)
    if let period = profile.period {
      message.periodType = self.message(period.type)
      message.period = period.value
    }
    message.timeUnixNano = profile.start
    message.durationNano = profile.duration
    message.samples = profile.samples.map { sample in
      var entry = Opentelemetry_Proto_Profiles_V1development_Sample()
      entry.stackIndex = sample.stack
      entry.attributeIndices = sample.attributes
      entry.linkIndex = sample.link
      entry.values = [sample.value]
      return entry
    }
    return message
  }

  private mutating func message(
    _ type: ProfileData.ValueType
  ) -> Opentelemetry_Proto_Profiles_V1development_ValueType {
    var message = Opentelemetry_Proto_Profiles_V1development_ValueType()
    message.typeStrindex = dictionary.string(type.type)
    message.unitStrindex = dictionary.string(type.unit)
    return message
  }
}
