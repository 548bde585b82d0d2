/// A user-level statically defined tracing point, from the notes that `<sys/sdt.h>` leaves.
///
/// The note's format is SystemTap's (`UserSpaceProbeImplementation`): three addresses, then
/// provider, name and arguments as zero-terminated strings.
public struct USDTProbe: Sendable, Hashable {
  /// Who offers the probe: `libc`, `postgresql`.
  public var provider: String
  /// The probe's name.
  public var name: String
  /// Where each argument is, as the assembler saw it: `8@%rdi -4@$3`. Empty for none.
  public var arguments: String
  /// The address of the probe's `nop`, already corrected when the file was prelinked.
  public var address: UInt64
  /// The address of the counter that enables the probe, corrected likewise; 0 for none.
  public var semaphore: UInt64
  /// The address as the note says it, before correction.
  public var recordedAddress: UInt64
  /// The address of `.stapsdt.base` when the note was written; 0 for unknown.
  public var recordedBase: UInt64
}

extension ELFFile {
  /// Every USDT probe of the file, in the notes' order; one name may stand at several addresses.
  public func usdtProbes() throws(EBPFError) -> [USDTProbe] {
    let base = section(named: ".stapsdt.base")?.address
    var probes: [USDTProbe] = []
    try forEachNote { (note) throws(EBPFError) in
      guard note.type == 3, note.ownerBytes.holds("stapsdt") else { return }
      probes.append(try usdtProbe(note.description, base: base))
    }
    return probes
  }

  private func usdtProbe(_ note: Bytes, base: UInt64?) throws(EBPFError) -> USDTProbe {
    let word = layout.wordSize
    let recorded = try layout.word(note, at: 0)
    let recordedBase = try layout.word(note, at: word)
    let semaphore = try layout.word(note, at: 2 * word)
    var position = 3 * word
    func text() throws(EBPFError) -> String {
      guard let length = note.distanceToZero(from: position) else {
        throw EBPFError(
          .malformed, "a USDT note ends inside its strings",
          context: [.section(".note.stapsdt"), .offset(UInt64(note.origin))],
          hint: "the file is damaged; build or copy it again")
      }
      defer { position += length + 1 }
      return try note.slice(at: position, count: length).text
    }
    let provider = try text()
    let name = try text()
    let arguments = try text()
    // Addresses are modulo 2^64 by definition: prelinking may have moved code down.
    let moved = recordedBase == 0 ? 0 : (base ?? recordedBase) &- recordedBase
    return USDTProbe(
      provider: provider, name: name, arguments: arguments, address: recorded &+ moved,
      semaphore: semaphore == 0 ? 0 : semaphore &+ moved, recordedAddress: recorded,
      recordedBase: recordedBase)
  }
}
