import EBPF
import EBPFSystem
import TestSupport
import Testing

/// What each errno is said to mean, whole.
@Suite struct MapErrorTests {
  private func map(
    _ type: MapType, _ errno: Errno, flags: UInt32 = 0
  ) throws -> (RawMap, RefusingKernel) {
    var information = MapInformation()
    information.type = type.rawValue
    information.keySize = type == .queue ? 0 : 4
    information.valueSize = 8
    information.maxEntries = 10
    information.flags = flags
    information.name = "counts"
    let kernel = RefusingKernel(information, errno)
    return (try RawMap(owning: kernel.emptyDescriptor(), kernel: kernel), kernel)
  }

  private let key: [UInt8] = [1, 0, 0, 0]
  private let value = [UInt8](repeating: 0, count: 8)

  @Test func `a write to a frozen map`() throws {
    let (map, _) = try map(.array, .notPermitted)
    let error = #expect(throws: EBPFError.self) { try map.update(key, value) }
    #expect(
      error?.description == """
        denied: cannot write map 'counts': it is frozen, or open for reading only
          map          counts
          system call  bpf(BPF_MAP_UPDATE_ELEM) = EPERM (1)
          hint         a frozen map can be written by programs only; a constant section (.rodata) is \
        set before the object is loaded
        """)
  }

  @Test func `a full hash map`() throws {
    let (map, _) = try map(.hash, .tooBig)
    let error = #expect(throws: EBPFError.self) { try map.update(key, value) }
    #expect(
      error?.description == """
        too_large: cannot write map 'counts': all its 10 entries are taken
          map          counts
          system call  bpf(BPF_MAP_UPDATE_ELEM) = E2BIG (7)
          hint         delete entries, create it with more max_entries, or use an LRU type
        """)
  }

  @Test func `an index beyond an array's end`() throws {
    let (map, _) = try map(.array, .tooBig)
    let error = #expect(throws: EBPFError.self) { try map.update(key, value) }
    #expect(
      error?.description == """
        too_large: cannot write map 'counts': the index is not below its 10 entries
          map          counts
          system call  bpf(BPF_MAP_UPDATE_ELEM) = E2BIG (7)
          hint         indices run from 0 to 9
        """)
  }

  @Test func `a key that must be new, and one that must be there`() throws {
    let (full, _) = try map(.hash, .exists)
    let exists = #expect(throws: EBPFError.self) { try full.update(key, value, .noExist) }
    #expect(
      exists?.description == """
        exists: cannot write map 'counts': the key is there already
          map          counts
          system call  bpf(BPF_MAP_UPDATE_ELEM) = EEXIST (17)
          hint         the update asked for a new key (BPF_NOEXIST); use .any to replace
        """)
    let (empty, _) = try map(.hash, .noEntry)
    let missing = #expect(throws: EBPFError.self) { try empty.update(key, value, .exists) }
    #expect(
      missing?.description == """
        not_found: cannot write map 'counts': the key is not there
          map          counts
          system call  bpf(BPF_MAP_UPDATE_ELEM) = ENOENT (2)
          hint         the update asked for a present key (BPF_EXIST); use .any to add
        """)
  }

  @Test func `reading what was opened for writing only`() throws {
    let (map, _) = try map(.hash, .notPermitted, flags: MapFlags.writeOnly)
    let error = #expect(throws: EBPFError.self) { try map.value(for: key) }
    #expect(
      error?.description == """
        denied: cannot read map 'counts': it was opened or created for writing only
          map          counts
          system call  bpf(BPF_MAP_LOOKUP_ELEM) = EPERM (1)
          hint         open it again without BPF_F_WRONLY
        """)
  }

  @Test func `looking up in a ring buffer says what reads it`() throws {
    let (map, _) = try map(.perfEventArray, .notSupportedInternal)
    let error = #expect(throws: EBPFError.self) { try map.value(for: key) }
    #expect(
      error?.description == """
        unsupported: cannot read map 'counts': perf_event_array maps do not allow this kind of look-up
          map          counts
          system call  bpf(BPF_MAP_LOOKUP_ELEM) = ENOTSUPP (524)
          hint         read its records with PerfBuffer
        """)
  }

  @Test func `going through the keys of a queue`() throws {
    let (map, kernel) = try map(.queue, .invalid)
    let error = #expect(throws: EBPFError.self) { try map.entries() }
    #expect(
      error?.description == """
        unsupported: cannot list map 'counts': queue maps have no keys to go through
          map          counts
          system call  bpf(BPF_MAP_GET_NEXT_KEY) = EINVAL (22)
          hint         use pop() or peek(): it has no keys
        """)
    #expect(kernel.calls.isEmpty)
  }

  @Test func `a wrong key length is refused before any system call`() throws {
    let (map, kernel) = try map(.hash, .inputOutput)
    let error = #expect(throws: EBPFError.self) { try map.value(for: [1, 2, 3]) }
    #expect(
      error?.description == """
        invalid_argument: the key is 3 bytes, but keys of map 'counts' are 4 bytes
          map          counts
        """)
    #expect(kernel.calls.isEmpty)
  }

  @Test func `a map that is refused with BTF is asked for again without, once`() throws {
    let (_, kernel) = try map(.hash, .invalid)
    var spec = MapSpec(name: "counts", type: .hash)
    spec.keySize = 4
    spec.valueSize = 8
    spec.keyTypeID = 1
    spec.valueTypeID = 2
    let error = #expect(throws: EBPFError.self) {
      _ = try RawMap.create(spec, btf: 99, kernel: kernel)
    }
    #expect(kernel.calls == ["create with BTF", "create"])
    #expect(
      error?.description == """
        invalid_argument: cannot create map 'counts' of type hash: the kernel does not accept key 4 \
        bytes, value 8 bytes, 0 entries, flags 0x0
          map          counts
          system call  bpf(BPF_MAP_CREATE) = EINVAL (22)
          hint         check key size, value size, max_entries (0 is rarely allowed) and flags; or the \
        kernel is older than 3.19
        """)
  }

  @Test func `a batch that the kernel lacks is done one by one`() throws {
    let (map, kernel) = try map(.hash, .notSupportedInternal)
    #expect(throws: EBPFError.self) { try map.update([RawMap.Entry(key: key, value: value)]) }
    #expect(kernel.calls == ["batch", "update"])
  }
}
