/// Where problems go while an object is read: thrown at once by a loader, collected by a report.
struct ObjectFindings {
  /// What is collected at most; a damaged file could have one problem for every few bytes.
  static let limit = 256

  /// True for a loader: the first problem ends the reading.
  let stopsAtFirst: Bool
  /// What makes the object, or a part of it, unusable.
  private(set) var errors: [EBPFError] = []
  /// What a loader can live with.
  private(set) var warnings: [EBPFError] = []

  init(stopsAtFirst: Bool) { self.stopsAtFirst = stopsAtFirst }

  /// True when nothing more will be kept, so that nobody computes a hint for it.
  var isFull: Bool { errors.count >= Self.limit }

  /// Throws the error, or keeps it and goes on.
  mutating func fail(_ error: EBPFError) throws(EBPFError) {
    if stopsAtFirst { throw error }
    if errors.count < Self.limit { errors.append(error) }
  }

  mutating func warn(_ warning: EBPFError) {
    if warnings.count < Self.limit { warnings.append(warning) }
  }

  /// The body's result, or nil when it failed and the reading goes on.
  mutating func attempt<Result>(
    _ body: () throws(EBPFError) -> Result
  ) throws(EBPFError) -> Result? {
    do throws(EBPFError) { return try body() } catch { try fail(error) }
    return nil
  }
}

extension Bytes {
  /// No name of a program, map, section or variable is longer, so that names which overlap in one
  /// long string cost no more than their number.
  static let nameLimit = 1024

  /// The zero-terminated name at `offset`.
  func name(at offset: Int) throws(EBPFError) -> String {
    guard offset >= 0, offset < count else { throw truncated(at: offset, wanting: 1) }
    let span = span
    let end = min(count, offset + Self.nameLimit)
    for index in offset..<end where span.byte(at: index) == 0 {
      return try slice(at: offset, count: index - offset).text
    }
    throw EBPFError(
      .malformed, "a name that starts here does not end within \(Self.nameLimit) bytes",
      context: [.offset(UInt64(clamping: origin + offset))],
      hint: "the string table is damaged; build or copy the file again")
  }
}

extension BTF {
  /// A string that must be a short one.
  func shortString(at offset: UInt32) throws(EBPFError) -> String {
    let (bytes, start) = try place(ofString: offset)
    return try bytes.name(at: start)
  }

  /// A string of any length, cut after a limit.
  func text(at offset: UInt32) throws(EBPFError) -> String {
    let (bytes, start) = try place(ofString: offset)
    let rest = try bytes.slice(at: start, count: min(Bytes.nameLimit, bytes.count - start))
    return try rest.slice(at: 0, count: rest.distanceToZero(from: 0) ?? rest.count).text
  }

  /// A type's name, which must be a short one; empty for an anonymous type.
  func shortName(of type: BTFType) throws(EBPFError) -> String {
    type.nameOffset == 0 ? "" : try shortString(at: type.nameOffset)
  }
}
