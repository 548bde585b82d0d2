internal import EBPFObject

/// Rows for code that a file's `.eh_frame` does not describe, from the machine code itself.
///
/// musl has no such section; Swift and C++ leave functions out that never throw, unless they are
/// compiled with `-g`; lld leaves the procedure linkage table out.
struct CodeRows: Sendable {
  private struct Section: Sendable {
    let addresses: Range<UInt64>
    let bytes: Bytes
    let kind: Kind
  }

  private enum Kind { case functions, lazyLinkage, linkage }

  private let sections: [Section]
  /// Where functions start, by address.
  private let starts: [UInt64]
  /// Where the kernel starts the file; 0 where it does not.
  private let entry: UInt64

  /// Looks for a file's code; `namesFunctions` also reads where its symbols are.
  init(_ file: ELFFile, namesFunctions: Bool) throws(EBPFError) {
    var sections: [Section] = []
    for section in file.sections where section.isExecutable && section.size > 0 {
      let (end, overflow) = section.address.addingReportingOverflow(section.size)
      guard !overflow, section.type == ELFFile.SectionType.programBits else { continue }
      let kind: Kind
      switch section.name {
      case ".plt", ".iplt": kind = .lazyLinkage
      case ".plt.sec", ".plt.got": kind = .linkage
      default: kind = .functions
      }
      sections.append(
        Section(
          addresses: section.address..<end, bytes: try file.contents(of: section), kind: kind))
    }
    self.sections = sections
    starts = namesFunctions ? Self.starts(of: file) : [file.entry]
    entry = file.entry
  }

  /// Of a table with more symbols none is read.
  private static let mostSymbols = 1 << 18

  private static func starts(of file: ELFFile) -> [UInt64] {
    var starts = [file.entry]
    for type in [ELFFile.SectionType.symbolTable, ELFFile.SectionType.dynamicSymbols] {
      do throws(EBPFError) {
        guard let section = file.section(ofType: type) else { continue }
        let table = try file.symbols(in: section)
        guard table.count <= mostSymbols else { continue }
        table.forEachSymbol { symbol in
          if symbol.isFunction, !symbol.isUndefined { starts.append(symbol.value) }
        }
      } catch { continue }  // Without symbols functions are found by the calls to them.
    }
    starts.sort()
    return starts
  }

  /// Calls `emit` with rows for addresses that nothing else describes, in order. What is still not
  /// known gets `unknown`.
  func fill(_ gap: Range<UInt64>, base: UInt64, _ emit: (UnwindRow) -> Void) {
    for section in sections where section.addresses.overlaps(gap) {
      let part = gap.clamped(to: section.addresses)
      let first = UInt32(truncatingIfNeeded: part.lowerBound &- base)
      switch section.kind {
      case .lazyLinkage: emit(UnwindRow(offset: first, frame: .linkageTable))
      case .linkage: emit(UnwindRow(offset: first, frame: .stackPointer, frameWords: 1))
      case .functions: follow(part, of: section, base: base, emit)
      }
      emit(
        UnwindRow(
          offset: UInt32(truncatingIfNeeded: part.upperBound &- base), frame: .unknown))
    }
  }

  private func follow(
    _ part: Range<UInt64>, of section: Section, base: UInt64, _ emit: (UnwindRow) -> Void
  ) {
    guard part.upperBound - part.lowerBound <= UInt64(CodeWalk.largestCode) else { return }
    let code: Bytes
    do throws(EBPFError) {
      code = try section.bytes.slice(
        at: part.lowerBound - section.addresses.lowerBound,
        count: part.upperBound - part.lowerBound)
    } catch { return }  // The section was found to reach this far.
    var walk = CodeWalk(code, at: part.lowerBound)
    let known = starts[firstStart(from: part.lowerBound)..<firstStart(from: part.upperBound)]
    walk.follow(known.isEmpty ? [Self.aligned(part.lowerBound)] : Array(known), root: entry)
    var rows: [UnwindRow] = []
    walk.forEach { address, state in
      let offset = UInt32(truncatingIfNeeded: address &- base)
      rows.append(state?.row(at: offset) ?? UnwindRow(offset: offset, frame: .unknown))
    }
    let first = UInt32(truncatingIfNeeded: part.lowerBound &- base)
    var next = 0
    for place in Self.signalReturns(in: code) {
      let start = first + UInt32(place)
      while next < rows.count, rows[next].offset + 1 < start {
        emit(rows[next])
        next += 1
      }
      // A handler returns to the first byte, and callers are looked up a byte before.
      emit(UnwindRow(offset: max(start, 1) - 1, frame: .signal))
      // While the kernel is about it, the next instruction is behind.
      let end = start + UInt32(Self.signalReturn.count) + 1
      while next < rows.count, rows[next].offset <= end { next += 1 }
      if next > 0 { emit(rows[next - 1].moved(to: end)) }
    }
    for row in rows[next...] { emit(row) }
  }

  /// Compilers align functions; what is before may be the end of another.
  private static func aligned(_ address: UInt64) -> UInt64 { (address &+ 15) & ~15 }

  private func firstStart(from address: UInt64) -> Int {
    var low = 0
    var high = starts.count
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] < address { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// `mov $15, %rax; syscall`: what a signal handler returns to.
  private static let signalReturn: [UInt8] = [0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05]

  /// Where the code has that, from its first byte on.
  private static func signalReturns(in code: Bytes) -> [Int] {
    let span = code.span
    var places: [Int] = []
    for place in 0..<max(0, code.count - signalReturn.count + 1)
    where span.byte(at: place) == signalReturn[0] && span.byte(at: place + 1) == signalReturn[1] {
      let isSame = signalReturn.indices.allSatisfy { span.byte(at: place + $0) == signalReturn[$0] }
      if isSame { places.append(place) }
    }
    return places
  }
}
