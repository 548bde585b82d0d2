public import OTLP
public import Profiles

/// Makes OpenTelemetry's profiles of profiles: one for each kind of value, by container.
public struct ProfileTelemetry: Sendable {
  private let options: TelemetryOptions

  /// What was converted and what not.
  public private(set) var statistics = ConversionStatistics()

  /// Creates a converter.
  public init(_ options: TelemetryOptions) { self.options = options }

  /// A profile as a request; nothing where there are no samples.
  ///
  /// - Parameter window: what time it is about, in nanoseconds since 1970; nil for what the profile
  ///   says.
  public mutating func collect(_ profile: Profile, window: Range<UInt64>? = nil)
    -> [TelemetryExport]
  {
    var conversion = ProfileConversion(profile, options, window: window)
    let export = conversion.export()
    statistics.add(conversion.statistics)
    return export.map { [$0] } ?? []
  }
}
