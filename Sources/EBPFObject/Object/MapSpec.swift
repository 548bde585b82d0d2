/// What a map will be, before it exists: read from an object file, or written by hand.
///
/// A plain value: change any field (for example ``maxEntries``) before the object is loaded.
public struct MapSpec: Sendable, Hashable {
  /// Where a map's content comes from when it is one of an object's data sections.
  public enum Role: Sendable, Hashable {
    /// An ordinary map.
    case map
    /// `.rodata…`: constants; frozen after filling.
    case readOnlyData
    /// `.data…`: initialised variables.
    case data
    /// `.bss…`: zeroed variables.
    case zeroedData
    /// `.kconfig`: filled from the kernel's configuration, frozen.
    case kernelConfiguration
  }

  /// Whether a map outlives the process under a name in bpffs.
  public enum Pinning: Sendable, Hashable {
    /// Not pinned.
    case none
    /// `LIBBPF_PIN_BY_NAME`: pinned as `<pin directory>/<name>`, and reused if it is there.
    case byName
  }

  /// `BPF_F_LINK`: a struct_ops map that is registered by a link (Linux 6.4).
  public static let linkFlag: UInt32 = 1 << 13

  /// What a slot of a map-in-map or program array, or a member of a kernel structure, holds from the
  /// start.
  public enum SlotTarget: Sendable, Hashable {
    /// Another map of the same object, by name.
    case map(String)
    /// A program of the same object, by name.
    case program(String)
  }

  /// The name in the object file; the kernel keeps its first 15 bytes.
  public var name: String
  /// The section it was declared in; empty for one written by hand.
  public var sectionName: String
  /// The map type (`BPF_MAP_TYPE_*`).
  public var type: MapType
  /// Key size in bytes.
  public var keySize: UInt32
  /// Value size in bytes; for per-CPU maps, of one CPU's value.
  public var valueSize: UInt32
  /// Capacity in entries; for ring buffers, in bytes.
  public var maxEntries: UInt32
  /// `BPF_F_*` creation flags.
  public var flags: UInt32
  /// Type-specific extra (`map_extra`), such as the number of Bloom filter hashes.
  public var extra: UInt64
  /// NUMA node; used with `BPF_F_NUMA_NODE`.
  public var numaNode: UInt32
  /// BTF type id of the key in the object's BTF; 0 for none.
  public var keyTypeID: UInt32
  /// BTF type id of the value in the object's BTF; 0 for none.
  public var valueTypeID: UInt32
  /// Whether and how it is pinned.
  public var pinning: Pinning
  /// What it is to the object.
  public var role: Role
  /// The initial value of a data section map (entry 0); of a struct_ops map, the structure as the
  /// object lays it out; empty otherwise.
  public var contents: [UInt8]
  /// The template of the inner maps: one element for a map-in-map, none otherwise.
  public var inner: [MapSpec]
  /// The initial slots of a map-in-map or program array, by index; the programs of a struct_ops map,
  /// by the index of the member in the object's structure.
  public var slots: [UInt32: SlotTarget]
  /// False for struct_ops maps in sections with a leading `?`: made only when this is set. A program
  /// that refers to a map that is not made does not load.
  public var autocreate: Bool

  /// Creates a map specification.
  public init(
    name: String, sectionName: String = "", type: MapType, keySize: UInt32 = 0,
    valueSize: UInt32 = 0, maxEntries: UInt32 = 0, flags: UInt32 = 0, role: Role = .map
  ) {
    self.name = name
    self.sectionName = sectionName
    self.type = type
    self.keySize = keySize
    self.valueSize = valueSize
    self.maxEntries = maxEntries
    self.flags = flags
    self.role = role
    extra = 0
    numaNode = 0
    keyTypeID = 0
    valueTypeID = 0
    pinning = .none
    contents = []
    inner = []
    slots = [:]
    autocreate = true
  }
}
