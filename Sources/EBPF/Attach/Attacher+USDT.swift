internal import EBPFSystem

extension Attacher {
  /// Every place of a USDT probe, by one link or by one performance event for each. The cookie of each
  /// is the number of its entry in the map of arguments.
  func attach(to probe: StaticProbe) throws(EBPFError) -> Link {
    try requireName(probe.provider, of: "provider")
    try requireName(probe.name, of: "probe")
    var user = UserProbe(
      binary: probe.binary, location: .fileOffset(0), process: probe.process, atReturn: false)
    user.process = try processID(user)
    let target = try UserProbeTarget(user)
    let found = try target.places(of: probe)
    guard let table = program.attachments.usdtSpecs else {
      throw EBPFError(
        .invalidArgument, "the object has no map '\(USDTSpecTable.mapName)'",
        hint: "include <bpf/usdt.bpf.h> and read arguments with BPF_USDT; or attach a uprobe")
    }
    var leases: [USDTSpecTable.Lease] = []
    var places: [ProbePlace] = []
    for place in found {
      let lease = try table.lease(place.arguments, cookie: point.cookie)
      leases.append(lease)
      places.append(
        ProbePlace(offset: place.offset, semaphore: place.semaphore, cookie: UInt64(lease.id)))
    }
    let link = try attach(at: places, user, target)
    link.attachment.keep(leases)
    return link
  }
}

extension UserProbeTarget {
  /// One place of a USDT probe in the file.
  struct StaticPlace {
    let offset: UInt64
    let semaphore: UInt64
    let arguments: [USDTArgument]
  }

  /// Where the file has the probe, by file offsets.
  func places(of probe: StaticProbe) throws(EBPFError) -> [StaticPlace] {
    try EBPFError.at(.file(path)) { () throws(EBPFError) -> [StaticPlace] in
      let all = try elf.usdtProbes()
      let wanted = all.filter { $0.provider == probe.provider && $0.name == probe.name }
      guard !wanted.isEmpty else {
        let names = Set(all.map { "\($0.provider):\($0.name)" }).sorted()
        throw EBPFError(
          .notFound, "the file has no USDT probe '\(probe.provider):\(probe.name)'",
          hint: names.isEmpty
            ? "it has no USDT probes at all: 'readelf -n' lists them"
            : NearNames.hintOrList(for: "\(probe.provider):\(probe.name)", in: names))
      }
      var places: [StaticPlace] = []
      for probe in wanted {
        places.append(
          StaticPlace(
            offset: try offset(of: probe.address, executable: true, "the probe's address"),
            semaphore: probe.semaphore == 0
              ? 0 : try offset(of: probe.semaphore, executable: false, "the probe's semaphore"),
            arguments: try probe.parsedArguments(machine: elf.machine)))
      }
      return places
    }
  }

  private func offset(
    of address: UInt64, executable: Bool, _ what: String
  ) throws(EBPFError) -> UInt64 {
    guard let offset = elf.fileOffset(ofAddress: address, executable: executable), offset != 0
    else {
      throw EBPFError(
        .malformed, "\(what) 0x\(String(address, radix: 16)) is not in the file",
        context: [.section(".note.stapsdt")], hint: "the file is damaged; build or copy it again")
    }
    return offset
  }
}
