internal import EBPFSystem

/// The CPUs that could ever run: how many values an element of a per-CPU map has.
struct PossibleCPUs {
  /// How many there are.
  let count: Int
  /// One more than the highest number.
  let end: Int

  /// Asks sysfs; where that is not mounted, as in an empty root, looks how many values the kernel
  /// gives for an element of a per-CPU map.
  init(_ kernel: any KernelInterface) throws(EBPFError) {
    let unreadable: Errno
    do throws(Errno) {
      let cpus = try CPUSet.possible().cpus
      count = cpus.count
      end = (cpus.last ?? 0) + 1
      return
    } catch { unreadable = error }
    do throws(Errno) {
      count = try Self.tried(kernel)
      end = count
    } catch {
      throw EBPFError.refused(
        error == .notPermitted ? .denied : .system, "cannot find out how many CPUs are possible",
        call: error == .notPermitted ? "bpf(BPF_MAP_CREATE)" : "read",
        error == .notPermitted ? error : unreadable,
        context: [.file("/sys/devices/system/cpu/possible")],
        hint: error == .notPermitted
          ? EBPFError.privilegeHint(needs: [.bpf]) : "mount sysfs on /sys")
    }
  }

  /// The most CPUs a kernel can be built for: `CONFIG_NR_CPUS` of x86_64.
  private static let limit = 8192

  static func tried(_ kernel: any KernelInterface) throws(Errno) -> Int {
    var request = MapRequest(type: MapType.perCPUArray.rawValue)
    request.keySize = 4
    request.valueSize = 8
    request.maxEntries = 1
    let map = try kernel.createMap(request)
    let key: [UInt8] = [0, 0, 0, 0]
    // New values are zero; what the kernel does not write keeps its ones.
    var values = [UInt8](repeating: 0xff, count: limit * 8)
    var span = values.mutableSpan
    var bytes = span.rawMutableBytes
    try kernel.lookup(map: map.rawValue, key: key.span.rawBytes, value: &bytes, flags: 0)
    let written = values.firstIndex { $0 != 0 } ?? values.count
    guard written >= 8 else { throw .invalid }
    return written / 8
  }
}
