/// Checks BTF as the kernel does when it is loaded (`kernel/bpf/btf.c`), without a kernel.
///
/// Parsing is laxer on purpose: a blob with a broken type can still be printed. The kernel refuses the
/// whole blob.
public struct BTFVerifier {
  /// The kernel's limit for a blob (`BTF_MAX_SIZE`).
  static let sizeLimit = 16 << 20
  /// The highest type id (`BTF_MAX_TYPE`).
  static let idLimit: UInt32 = 0xf_ffff
  /// The highest string offset (`BTF_MAX_NAME_OFFSET`).
  static let nameLimit = 0xff_ffff
  /// The longest identifier, with its final zero (`KSYM_NAME_LEN`).
  static let identifierLimit = 512

  let btf: BTF
  var states: [State]

  /// How far a type's references have been followed.
  enum State: UInt8 {
    case new, active, done
  }

  private init(_ btf: BTF) {
    self.btf = btf
    states = [State](repeating: .new, count: btf.offsets.count)
  }

  /// Everything for which the kernel would refuse the blob, in order of type; at most `limit`.
  public static func findings(in btf: BTF, limit: Int = 100) -> [EBPFError] {
    var verifier = BTFVerifier(btf)
    var findings = verifier.headerFindings()
    // The kernel looks at each type alone first, and follows references only when all are sound.
    verifier.collect(&findings, limit) { (verifier, id) throws(EBPFError) in
      try verifier.checkAlone(id)
    }
    guard findings.isEmpty else { return findings }
    verifier.collect(&findings, limit) { (verifier, id) throws(EBPFError) in
      try verifier.checkReferences(id)
    }
    return findings
  }

  private mutating func collect(
    _ findings: inout [EBPFError], _ limit: Int,
    _ check: (inout BTFVerifier, UInt32) throws(EBPFError) -> Void
  ) {
    for id in btf.firstID..<btf.typeCount {
      guard findings.count < limit else { return }
      do throws(EBPFError) { try check(&self, id) } catch { findings.append(error) }
    }
  }

  /// An error about one type.
  func bad(_ type: BTFType, _ what: String) -> EBPFError {
    EBPFError(
      .malformed, "the kernel refuses BTF type \(type.id), a \(type.kind): \(what)",
      context: [.type(type.id), .offset(btf.fileOffset(of: type))])
  }

  private func headerFindings() -> [EBPFError] {
    var findings: [EBPFError] = []
    func add(_ what: String) {
      findings.append(EBPFError(.malformed, "the kernel refuses this BTF: \(what)"))
    }
    let bytes = btf.bytes
    if bytes.count > Self.sizeLimit { add("more than 16 MiB") }
    if bytes.count > 3, bytes.span.byte(at: 3) != 0 { add("flags in the header") }
    if btf.strings.count > Self.nameLimit { add("more than 16 MiB of strings") }
    if btf.types.count == 0, btf.base == nil { add("it has no types") }
    let header = Int(btf.headerLength)
    if header > Int(BTFHeader.minimumLength) {
      let span = bytes.span
      if (Int(BTFHeader.minimumLength)..<header).contains(where: { span.byte(at: $0) != 0 }) {
        add("a header of \(header) bytes, of which older kernels know 24")
      }
    }
    // Types, then strings, without gap or overlap.
    let start = bytes.origin + header
    let (types, strings) = (btf.types.origin - start, btf.strings.origin - start)
    let parts = [(types, btf.types.count), (strings, btf.strings.count)].sorted { $0.0 < $1.0 }
    if parts[0].0 != 0 || parts[0].1 != parts[1].0
      || header + parts[1].0 + parts[1].1 != bytes.count
    {
      add("its sections do not lie end to end")
    }
    return findings
  }
}

// MARK: - Names

extension BTFVerifier {
  /// True for a C identifier; the kernel allows dots.
  func isIdentifier(_ offset: UInt32) throws(EBPFError) -> Bool {
    try hasCharacters(offset) { (byte, isFirst) in
      switch byte {
      case 0x41...0x5a, 0x61...0x7a, 0x5f, 0x2e: true
      case 0x30...0x39: !isFirst
      default: false
      }
    }
  }

  /// True for a section's name: anything printable.
  func isSectionName(_ offset: UInt32) throws(EBPFError) -> Bool {
    try hasCharacters(offset) { (byte, _) in (0x20...0x7e).contains(byte) }
  }

  private func hasCharacters(
    _ offset: UInt32, _ accepts: (UInt8, Bool) -> Bool
  ) throws(EBPFError) -> Bool {
    let name = try btf.measuredName(at: offset)
    guard !name.isEmpty, name.length <= Self.identifierLimit else { return false }
    let span = name.bytes.span
    for index in 0..<name.length where !accepts(span.byte(at: name.start + index), index == 0) {
      return false
    }
    return true
  }
}
