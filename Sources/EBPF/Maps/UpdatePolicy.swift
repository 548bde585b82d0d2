/// Which keys an update may write.
public enum UpdatePolicy: UInt64, Sendable, Hashable {
  /// `BPF_ANY`: add or replace.
  case any = 0
  /// `BPF_NOEXIST`: add only; a present key is an error.
  case noExist = 1
  /// `BPF_EXIST`: replace only; a missing key is an error.
  case exists = 2
}

/// Flags of maps and of their elements (`linux/bpf.h`).
public enum MapFlags {
  /// `BPF_F_NO_PREALLOC`: entries are allocated when they are added.
  public static let noPreallocation: UInt32 = 1 << 0
  /// `BPF_F_NUMA_NODE`.
  public static let numaNode: UInt32 = 1 << 2
  /// `BPF_F_RDONLY`: read only for user space.
  public static let readOnly: UInt32 = 1 << 3
  /// `BPF_F_WRONLY`: write only for user space.
  public static let writeOnly: UInt32 = 1 << 4
  /// `BPF_F_RDONLY_PROG`: read only for programs.
  public static let programReadOnly: UInt32 = 1 << 7
  /// `BPF_F_WRONLY_PROG`: write only for programs.
  public static let programWriteOnly: UInt32 = 1 << 8
  /// `BPF_F_MMAPABLE`: an array that can be mapped into memory (5.5).
  public static let mappable: UInt32 = 1 << 10
  /// `BPF_F_INNER_MAP`: an inner array may have another size than its template (5.10).
  public static let inner: UInt32 = 1 << 12

  /// `BPF_F_LOCK`, in an element's flags: take the value's `bpf_spin_lock`.
  static let lock: UInt64 = 4
}

extension MapType {
  /// Whether keys are indices, all of them present from the start.
  var isArray: Bool {
    switch self {
    case .array, .perCPUArray, .arrayOfMaps, .programArray, .perfEventArray, .cgroupArray: true
    default: false
    }
  }

  /// Whether a look-up gives one value for each possible CPU.
  public var isPerCPU: Bool {
    switch self {
    case .perCPUHash, .perCPUArray, .lruPerCPUHash, .perCPUCgroupStorageDeprecated: true
    default: false
    }
  }

  /// Whether values are other maps: written as descriptors, read as ids.
  public var holdsMaps: Bool { self == .arrayOfMaps || self == .hashOfMaps }
}
