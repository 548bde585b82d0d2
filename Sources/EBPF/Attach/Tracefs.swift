internal import EBPFSystem

/// Where the kernel shows its tracepoints.
struct Tracefs: Sendable {
  /// The directory with `events` in it.
  let directory: String

  /// Where tracefs usually is; the second is its place inside debugfs.
  static let usualPlaces = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"]

  /// The mounted one.
  static func mounted(at places: [String] = usualPlaces) throws(EBPFError) -> Tracefs {
    var refusal: Errno?
    for place in places {
      do throws(Errno) {
        _ = try FileStatus(path: place + "/events")
        return Tracefs(directory: place)
      } catch {
        // The first place decides unless a later one is there but closed.
        if refusal == nil || error == .accessDenied { refusal = error }
      }
    }
    let error = refusal ?? .noEntry
    if error == .accessDenied {
      throw EBPFError(
        .denied, "tracefs cannot be read", context: [.file(places[0])],
        systemCall: error.failure(of: "stat"),
        hint: "only root may look into it: mount it with -o gid=…, or use a raw tracepoint "
          + "(raw_tp, tp_btf), which needs no tracefs")
    }
    throw EBPFError(
      .notFound, "tracefs is not mounted", context: [.file(places[0])],
      systemCall: error.failure(of: "stat"),
      hint:
        "mount -t tracefs tracefs /sys/kernel/tracing, or use a raw tracepoint (raw_tp, tp_btf), "
        + "which needs no tracefs")
  }

  /// The number perf_event_open(2) knows a tracepoint by.
  func id(category: String, name: String) throws(EBPFError) -> UInt64 {
    let path = "\(directory)/events/\(category)/\(name)/id"
    do throws(Errno) {
      let id = try SystemFile.integer(path)
      guard let id = UInt64(exactly: id) else { throw Errno.invalid }
      return id
    } catch {
      if error == .noEntry { throw missing(category: category, name: name) }
      throw EBPFError(
        error == .accessDenied ? .denied : .system,
        "the number of tracepoint \(category):\(name) cannot be read", context: [.file(path)],
        systemCall: error.failure(of: "open"),
        hint: error == .accessDenied
          ? "only root may look into tracefs: use a raw tracepoint (raw_tp, tp_btf), "
            + "which needs no tracefs" : nil)
    }
  }

  private func missing(category: String, name: String) -> EBPFError {
    func entries(_ path: String) -> [String] {
      do throws(Errno) { return try FileSystem.entries(path) } catch { return [] }
    }
    let categories = entries("\(directory)/events")
    if categories.contains(category) {
      return EBPFError(
        .notFound, "there is no tracepoint \(category):\(name)",
        hint: NearNames.hint(for: name, in: entries("\(directory)/events/\(category)"))
          ?? "ls \(directory)/events/\(category) shows those there are")
    }
    return EBPFError(
      .notFound, "there is no tracepoint category '\(category)'",
      hint: NearNames.hint(for: category, in: categories)
        ?? "ls \(directory)/events shows those there are")
  }
}

/// A probe defined by a line in `kprobe_events` or `uprobe_events`.
struct TracefsProbe: Sendable {
  /// The file the line went to.
  let path: String
  /// The event's group.
  let group: String
  /// The event's name.
  let name: String

  /// Writes the definition: what follows `p:group/name `, and a leading `p` or `r`.
  static func define(
    _ file: String, in tracefs: Tracefs, letter: String, group: String, name: String, place: String
  ) throws(Errno) -> TracefsProbe {
    let probe = TracefsProbe(path: "\(tracefs.directory)/\(file)", group: group, name: name)
    try SystemFile.write(
      probe.path, "\(letter):\(group)/\(name) \(place)\n", flags: SystemFile.append)
    return probe
  }

  /// Takes the line out again.
  func remove() throws(EBPFError) {
    do throws(Errno) {
      try SystemFile.write(path, "-:\(group)/\(name)\n", flags: SystemFile.append)
    } catch {
      throw EBPFError(
        error == .noEntry ? .notFound : .system,
        "the probe \(group)/\(name) could not be taken back", context: [.file(path)],
        systemCall: error.failure(of: "write"),
        hint: error == .noEntry
          ? "somebody else has removed it" : "echo '-:\(group)/\(name)' >> \(path)")
    }
  }
}
