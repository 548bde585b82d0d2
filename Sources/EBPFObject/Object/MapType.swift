/// A map's type; the numbers are those of `linux/bpf.h`.
public struct MapType: RawRepresentable, Sendable, Hashable {
  /// The value of the C enumerator.
  public var rawValue: UInt32
  /// Wraps a kernel number, known to this library or not.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
}

extension MapType {
  /// `BPF_MAP_TYPE_UNSPEC`: no type
  public static let unspecified = MapType(rawValue: 0)
  /// `BPF_MAP_TYPE_HASH`: a hash table
  public static let hash = MapType(rawValue: 1)
  /// `BPF_MAP_TYPE_ARRAY`: an array, preallocated and zeroed
  public static let array = MapType(rawValue: 2)
  /// `BPF_MAP_TYPE_PROG_ARRAY`: programs to tail-call
  public static let programArray = MapType(rawValue: 3)
  /// `BPF_MAP_TYPE_PERF_EVENT_ARRAY`: perf events, for perf buffers
  public static let perfEventArray = MapType(rawValue: 4)
  /// `BPF_MAP_TYPE_PERCPU_HASH`: a hash table with a value for each CPU
  public static let perCPUHash = MapType(rawValue: 5)
  /// `BPF_MAP_TYPE_PERCPU_ARRAY`: an array with a value for each CPU
  public static let perCPUArray = MapType(rawValue: 6)
  /// `BPF_MAP_TYPE_STACK_TRACE`: stack traces by id
  public static let stackTrace = MapType(rawValue: 7)
  /// `BPF_MAP_TYPE_CGROUP_ARRAY`: control groups to test membership of
  public static let cgroupArray = MapType(rawValue: 8)
  /// `BPF_MAP_TYPE_LRU_HASH`: a hash table that evicts what was used least recently
  public static let lruHash = MapType(rawValue: 9)
  /// `BPF_MAP_TYPE_LRU_PERCPU_HASH`: the same, with a value for each CPU
  public static let lruPerCPUHash = MapType(rawValue: 10)
  /// `BPF_MAP_TYPE_LPM_TRIE`: longest prefix match
  public static let lpmTrie = MapType(rawValue: 11)
  /// `BPF_MAP_TYPE_ARRAY_OF_MAPS`: an array of maps
  public static let arrayOfMaps = MapType(rawValue: 12)
  /// `BPF_MAP_TYPE_HASH_OF_MAPS`: a hash table of maps
  public static let hashOfMaps = MapType(rawValue: 13)
  /// `BPF_MAP_TYPE_DEVMAP`: network devices to redirect to, by index
  public static let deviceMap = MapType(rawValue: 14)
  /// `BPF_MAP_TYPE_SOCKMAP`: sockets to redirect to, by index
  public static let socketMap = MapType(rawValue: 15)
  /// `BPF_MAP_TYPE_CPUMAP`: CPUs to redirect to
  public static let cpuMap = MapType(rawValue: 16)
  /// `BPF_MAP_TYPE_XSKMAP`: AF_XDP sockets to redirect to
  public static let xskMap = MapType(rawValue: 17)
  /// `BPF_MAP_TYPE_SOCKHASH`: sockets to redirect to, by key
  public static let socketHash = MapType(rawValue: 18)
  /// `BPF_MAP_TYPE_CGROUP_STORAGE`: storage of a program in a control group (deprecated by the kernel)
  public static let cgroupStorageDeprecated = MapType(rawValue: 19)
  /// `BPF_MAP_TYPE_REUSEPORT_SOCKARRAY`: sockets of a SO_REUSEPORT group
  public static let reusePortSocketArray = MapType(rawValue: 20)
  /// `BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE`: the same, with a value for each CPU (deprecated by the kernel)
  public static let perCPUCgroupStorageDeprecated = MapType(rawValue: 21)
  /// `BPF_MAP_TYPE_QUEUE`: first in, first out
  public static let queue = MapType(rawValue: 22)
  /// `BPF_MAP_TYPE_STACK`: last in, first out
  public static let stack = MapType(rawValue: 23)
  /// `BPF_MAP_TYPE_SK_STORAGE`: storage in each socket
  public static let socketStorage = MapType(rawValue: 24)
  /// `BPF_MAP_TYPE_DEVMAP_HASH`: network devices to redirect to, by key
  public static let deviceMapHash = MapType(rawValue: 25)
  /// `BPF_MAP_TYPE_STRUCT_OPS`: an implementation of a kernel structure of functions
  public static let structOps = MapType(rawValue: 26)
  /// `BPF_MAP_TYPE_RINGBUF`: a ring buffer shared by all CPUs, read by user space
  public static let ringBuffer = MapType(rawValue: 27)
  /// `BPF_MAP_TYPE_INODE_STORAGE`: storage in each inode
  public static let inodeStorage = MapType(rawValue: 28)
  /// `BPF_MAP_TYPE_TASK_STORAGE`: storage in each task
  public static let taskStorage = MapType(rawValue: 29)
  /// `BPF_MAP_TYPE_BLOOM_FILTER`: a Bloom filter
  public static let bloomFilter = MapType(rawValue: 30)
  /// `BPF_MAP_TYPE_USER_RINGBUF`: a ring buffer written by user space
  public static let userRingBuffer = MapType(rawValue: 31)
  /// `BPF_MAP_TYPE_CGRP_STORAGE`: storage in each control group
  public static let cgroupStorage = MapType(rawValue: 32)
  /// `BPF_MAP_TYPE_ARENA`: memory shared between programs and user space
  public static let arena = MapType(rawValue: 33)
  /// `BPF_MAP_TYPE_INSN_ARRAY`: instruction offsets for indirect jumps
  public static let instructionArray = MapType(rawValue: 34)
  /// `BPF_MAP_TYPE_RHASH`: a hash table that grows and shrinks
  public static let resizableHash = MapType(rawValue: 35)
}

extension MapType: CustomStringConvertible {
  /// The name as bpftool prints it, or the number when it is not known.
  public var name: String { row?.name ?? "type \(rawValue)" }

  /// The C enumerator's name, or the number when it is not known.
  public var kernelName: String {
    row.map { "BPF_MAP_TYPE_" + $0.name.uppercased() } ?? String(rawValue)
  }

  /// True when this library knows the number.
  public var isKnown: Bool { row != nil }

  /// The first kernel that has it; nil when that is not known.
  public var firstKernel: KernelVersion? { row?.firstKernel }

  /// Every member this library knows, by number.
  public static var all: [MapType] { table.indices.map { MapType(rawValue: UInt32($0)) } }

  /// The member with bpftool's name, or with the C enumerator's.
  public init?(name: String) {
    guard
      let index = Self.table.firstIndex(where: {
        $0.name == name || "BPF_MAP_TYPE_" + $0.name.uppercased() == name
      })
    else { return nil }
    self.init(rawValue: UInt32(index))
  }

  /// ``name``.
  public var description: String { name }

  private var row: (name: String, firstKernel: KernelVersion?)? {
    rawValue < UInt32(Self.table.count) ? Self.table[Int(rawValue)] : nil
  }

  /// Names and first kernels, in the order of the C enumeration.
  private static let table: [(name: String, firstKernel: KernelVersion?)] = [
    ("unspec", nil),
    ("hash", KernelVersion(3, 19)),
    ("array", KernelVersion(3, 19)),
    ("prog_array", KernelVersion(4, 2)),
    ("perf_event_array", KernelVersion(4, 3)),
    ("percpu_hash", KernelVersion(4, 6)),
    ("percpu_array", KernelVersion(4, 6)),
    ("stack_trace", KernelVersion(4, 6)),
    ("cgroup_array", KernelVersion(4, 8)),
    ("lru_hash", KernelVersion(4, 10)),
    ("lru_percpu_hash", KernelVersion(4, 10)),
    ("lpm_trie", KernelVersion(4, 11)),
    ("array_of_maps", KernelVersion(4, 12)),
    ("hash_of_maps", KernelVersion(4, 12)),
    ("devmap", KernelVersion(4, 14)),
    ("sockmap", KernelVersion(4, 14)),
    ("cpumap", KernelVersion(4, 15)),
    ("xskmap", KernelVersion(4, 18)),
    ("sockhash", KernelVersion(4, 18)),
    ("cgroup_storage", KernelVersion(4, 19)),
    ("reuseport_sockarray", KernelVersion(4, 19)),
    ("percpu_cgroup_storage", KernelVersion(4, 20)),
    ("queue", KernelVersion(4, 20)),
    ("stack", KernelVersion(4, 20)),
    ("sk_storage", KernelVersion(5, 2)),
    ("devmap_hash", KernelVersion(5, 4)),
    ("struct_ops", KernelVersion(5, 6)),
    ("ringbuf", KernelVersion(5, 8)),
    ("inode_storage", KernelVersion(5, 10)),
    ("task_storage", KernelVersion(5, 11)),
    ("bloom_filter", KernelVersion(5, 16)),
    ("user_ringbuf", KernelVersion(6, 1)),
    ("cgrp_storage", KernelVersion(6, 2)),
    ("arena", KernelVersion(6, 9)),
    ("insn_array", KernelVersion(6, 19)),
    ("rhash", nil),
  ]
}
