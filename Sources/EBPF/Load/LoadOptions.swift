/// How an object is loaded, where its own wishes are not enough.
public struct LoadOptions: Sendable {
  /// Only these programs, by name, whatever their sections say; nil loads all but the `?` ones.
  public var programs: Set<String>?
  /// Where maps that are pinned by name are, and go: a directory of a BPF file system.
  public var pinDirectory = "/sys/fs/bpf"
  /// The types CO-RE adapts to; nil for the running kernel's.
  public var targetTypes: BTF?
  /// Capacities of maps, by name, in place of the object's.
  public var maxEntries: [String: UInt32] = [:]
  /// How much the verifier says about programs that it accepts: 0 nothing, 1 the path, 2 every path,
  /// 4 statistics; ``LoadedObject/verifierLogs`` has it.
  public var logLevel: UInt32 = 0
  /// The longest log that is fetched for a program that is rejected.
  public var logLimit = 64 << 20

  /// What the object says.
  public init() {}
}
