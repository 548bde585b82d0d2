internal import EBPFSystem

extension ObjectLoader {
  /// Makes every map of the object; what has initial contents gets them, constants are frozen.
  mutating func createMaps() throws(EBPFError) {
    if maps.contains(where: { ([$0] + $0.inner).contains(where: Self.hasSlotsForCPUs) }) {
      cpuCount = UInt32(clamping: try PossibleCPUs(kernel).end)
    }
    for spec in maps {
      guard made[spec.name] == nil else {
        throw EBPFError(
          .malformed, "two maps are called '\(spec.name)'", context: [.map(spec.name)])
      }
      made[spec.name] = try EBPFError.at(.map(spec.name)) { () throws(EBPFError) in
        if let map = options.maps[spec.name] { return try reuse(map, as: spec) }
        return try spec.pinning == .byName
          ? openOrPin(spec)
          : delegating("delegate_cmds=map_create and delegate_maps=\(spec.type)") {
            () throws(EBPFError) in try create(spec)
          }
      }
    }
  }

  // MARK: Creating

  private func create(_ spec: MapSpec) throws(EBPFError) -> RawMap {
    if let plan = structOps[spec.name] { return try createStructOps(spec, plan) }
    return try RawMap.create(
      normalized(spec), btf: btf?.number, token: token?.descriptor.number, kernel: kernel)
  }

  /// A map that the caller has.
  private func reuse(_ map: RawMap, as spec: MapSpec) throws(EBPFError) -> RawMap {
    guard structOps[spec.name] == nil else {
      throw EBPFError(.invalidArgument, "a structure of the kernel is made anew with each object")
    }
    let differences = differences(map, from: normalized(spec))
    guard differences.isEmpty else {
      throw EBPFError(
        .invalidArgument,
        "the map given in its place is another: \(differences.joined(separator: "; "))",
        hint: "give one that was made for the same key and value")
    }
    guard map.name != spec.name else { return map }
    let own: OwnedDescriptor
    do throws(Errno) { own = try map.descriptor.duplicate() } catch {
      throw EBPFError(
        .system, "there is no descriptor for the map '\(map.name)'",
        systemCall: error.failure(of: "fcntl(F_DUPFD_CLOEXEC)"))
    }
    return try RawMap(owning: own, name: spec.name, kernel: kernel)
  }

  /// What makes a map another one than the wanted, whatever its capacity and flags.
  private func differences(_ map: RawMap, from wanted: MapSpec) -> [String] {
    var found: [String] = []
    if map.type != wanted.type { found.append("type \(map.type), not \(wanted.type)") }
    if map.information.keySize != wanted.keySize {
      found.append("key size \(map.information.keySize), not \(wanted.keySize)")
    }
    if map.information.valueSize != wanted.valueSize {
      found.append("value size \(map.information.valueSize), not \(wanted.valueSize)")
    }
    return found
  }

  private func normalized(_ spec: MapSpec) -> MapSpec {
    spec.normalized(cpuCount: cpuCount, pageSize: UInt32(clamping: CurrentProcess.pageSize))
  }

  /// True for types whose capacity follows from the number of CPUs.
  private static func hasSlotsForCPUs(_ spec: MapSpec) -> Bool {
    spec.type == .perfEventArray || spec.type == .cpuMap
  }

  // MARK: Contents

  /// What the slots of maps of maps hold in the beginning.
  func mapSlots() throws(EBPFError) -> [MapSlot] {
    var found: [MapSlot] = []
    for spec in maps where !spec.slots.isEmpty && spec.type.holdsMaps {
      guard let outer = made[spec.name] else { preconditionFailure("created before") }
      for (slot, target) in spec.slots.sorted(by: { $0.key < $1.key }) {
        guard case .map(let name) = target, let inner = made[name] else {
          throw EBPFError(
            .malformed, "slot \(slot) does not hold a map of this object",
            context: [.map(spec.name)])
        }
        found.append(MapSlot(outer: outer, key: Self.bytes(slot), inner: inner))
      }
    }
    return found
  }

  /// Program arrays are filled last: they need the programs, which need the array.
  func fillProgramSlots(_ programs: [Program]) throws(EBPFError) {
    for spec in maps where !spec.slots.isEmpty && spec.type == .programArray {
      guard let array = made[spec.name] else { preconditionFailure("created before") }
      for (slot, target) in spec.slots.sorted(by: { $0.key < $1.key }) {
        guard case .program(let name) = target else {
          throw EBPFError(
            .malformed, "slot \(slot) does not hold a program", context: [.map(spec.name)])
        }
        // A program that was not asked for leaves its slot empty: tail calls to it fall through.
        guard let program = programs.first(where: { $0.name == name }) else { continue }
        try program.withDescriptor { (descriptor) throws(EBPFError) in
          try array.update(Self.bytes(slot), Self.bytes(UInt32(bitPattern: descriptor)))
        }
      }
    }
  }

  static func bytes(_ number: UInt32) -> [UInt8] {
    var bytes: [UInt8] = []
    append(number, to: &bytes)
    return bytes
  }

  static func append(_ number: UInt32, to bytes: inout [UInt8]) {
    for index in 0..<4 {
      let shift = UInt32((ByteOrder.host == .little ? index : 3 - index) * 8)
      bytes.append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }
}

// MARK: - Pinned by name

extension ObjectLoader {
  /// The map that is pinned already, if it is the same kind of map; or a new one, pinned.
  private mutating func openOrPin(_ spec: MapSpec) throws(EBPFError) -> RawMap {
    guard !spec.name.contains("/"), spec.name != ".", spec.name != ".." else {
      throw EBPFError(.malformed, "'\(spec.name)' cannot be the name of a pin")
    }
    let path = "\(options.pinDirectory)/\(spec.name)"
    pinned[spec.name] = path
    // Somebody else may pin between our look and our own pin, and unpin before we look again.
    for _ in 0..<8 {
      if let pinned = try openPinned(path, spec) { return pinned }
      let map = try create(spec)
      do throws(EBPFError) {
        try makePinDirectory()
        try map.pin(path)
        pins.append(path)
        return map
      } catch {
        guard error.code == .exists else { throw error }
      }
    }
    throw EBPFError(
      .exists, "another process keeps pinning and unpinning this map", context: [.file(path)])
  }

  private func makePinDirectory() throws(EBPFError) {
    guard !FileSystem.exists(options.pinDirectory) else { return }
    do throws(Errno) { try FileSystem.makeDirectory(options.pinDirectory) } catch {
      guard error != .exists else { return }
      throw EBPFError(
        error == .accessDenied || error == .notPermitted ? .denied : .system,
        "the directory for pinned maps cannot be made", context: [.file(options.pinDirectory)],
        systemCall: error.failure(of: "mkdir"),
        hint: "mount -t bpf bpf /sys/fs/bpf, and name a directory in it")
    }
  }

  private func openPinned(_ path: String, _ spec: MapSpec) throws(EBPFError) -> RawMap? {
    let found: RawMap
    do throws(EBPFError) {
      // The kernel's own name for it may be cut short.
      found = try RawMap(
        owning: try Pinning.open(path, .map, kernel: kernel), name: spec.name, kernel: kernel)
    } catch {
      if error.systemCall?.errno == Errno.noEntry.rawValue { return nil }
      throw error
    }
    let wanted = normalized(spec)
    var differences = differences(found, from: wanted)
    func compare(_ what: String, _ present: UInt64, _ wanted: UInt64) {
      if present != wanted { differences.append("\(what) \(present), not \(wanted)") }
    }
    compare("capacity", UInt64(found.information.maxEntries), UInt64(wanted.maxEntries))
    compare("flags", UInt64(found.information.flags), UInt64(wanted.flags))
    compare("extra", found.information.extra, wanted.extra)
    guard differences.isEmpty else {
      throw EBPFError(
        .exists,
        "a different map is pinned under this name: \(differences.joined(separator: "; "))",
        context: [.file(path)], hint: "unpin it (rm), or give another pin directory")
    }
    return found
  }
}
