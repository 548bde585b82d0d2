public import EBPFObject

/// Where the unwind rows of one file come from: its `.eh_frame`, and the code that it leaves out, read
/// when rows are asked for.
///
/// A file with many functions is divided into parts, each with a table of its own, so that only those
/// need memory whose code is met on a stack.
public struct UnwindSource: Sendable {
  /// The address, before any load bias, that rows are relative to.
  public let base: UInt64
  /// The first address of each part, in ascending order. A part reaches to the next one.
  public let parts: [UInt64]
  private let code: Range<UInt64>
  /// `.eh_frame`, and its address.
  private let frames: (bytes: Bytes, address: UInt64)?
  private let index: FrameIndex?
  private let file: ELFFile

  /// Functions in a part.
  static let partSize = 1024
  /// A file with fewer functions has one part.
  static let wholeSize = 8192

  /// Looks for the file's tables.
  ///
  /// Throws `unsupported` for another processor or for code that spans 4 GiB and more.
  public init(_ file: ELFFile) throws(EBPFError) {
    guard file.machine == ELFFile.Machine.x86_64, file.is64Bit, file.order == .little else {
      throw EBPFError(
        .unsupported, "stack walking by .eh_frame is there for x86-64 only",
        hint: "build the program with frame pointers (-fno-omit-frame-pointer)")
    }
    self.file = file
    let code = try Self.code(of: file)
    self.code = code
    base = code.lowerBound
    let index = try Self.index(of: file)
    frames = try Self.frames(of: file, index)
    let parts = frames == nil ? nil : index.flatMap { Self.parts($0, of: code) }
    self.index = parts == nil ? nil : index
    self.parts = parts ?? [code.lowerBound]
  }

  /// The rows of one part.
  ///
  /// Throws `tooLarge` when there are more of them than the limit.
  public func table(ofPart part: Int, rowLimit: Int) throws(EBPFError) -> UnwindTable {
    let filler = try CodeRows(file, namesFunctions: parts.count == 1)
    guard let index, let frames else {
      return try UnwindTable(
        CallFrameInformation(frames?.bytes ?? Bytes([]), address: frames?.address ?? 0),
        filledBy: filler, of: code, base: base, rowLimit: rowLimit)
    }
    let first = part * Self.partSize
    let last = min(index.count, first + Self.partSize)
    let descriptions = (first..<max(first, last)).map { function in
      // One outside of the section is counted as malformed.
      Int(exactly: index.description(of: function) &- frames.address) ?? -1
    }
    let start = parts[part]
    let end = part + 1 < parts.count ? parts[part + 1] : code.upperBound
    return try UnwindTable(
      CallFrameInformation(frames.bytes, address: frames.address, descriptions: descriptions),
      filledBy: filler, of: start..<end, base: base, rowLimit: rowLimit)
  }

  /// The parts of a large file; nil for one that is read as a whole, or whose index is not in order.
  private static func parts(_ index: FrameIndex, of code: Range<UInt64>) -> [UInt64]? {
    guard index.count > wholeSize else { return nil }
    var starts = [code.lowerBound]
    for first in stride(from: partSize, to: index.count, by: partSize) {
      let start = index.start(of: first)
      guard start > starts[starts.count - 1], start < code.upperBound else { return nil }
      starts.append(start)
    }
    return starts
  }

  /// The addresses that hold code, from the first to the last.
  private static func code(of file: ELFFile) throws(EBPFError) -> Range<UInt64> {
    var start = UInt64.max
    var end: UInt64 = 0
    for segment in file.segments
    where segment.type == ELFFile.SegmentType.load
      && segment.flags & ELFFile.SegmentFlag.execute != 0
    {
      start = min(start, segment.virtualAddress)
      let (last, overflow) = segment.virtualAddress.addingReportingOverflow(segment.memorySize)
      end = max(end, overflow ? .max : last)
    }
    guard start < end else { return 0..<0 }
    guard end - start <= UInt64(UInt32.max) else {
      throw EBPFError(.unsupported, "the file's code spans 4 GiB or more")
    }
    return start..<end
  }

  private static func index(of file: ELFFile) throws(EBPFError) -> FrameIndex? {
    guard let segment = file.segments.first(where: { $0.type == indexSegment }) else { return nil }
    return FrameIndex(try file.contents(of: segment), address: segment.virtualAddress)
  }

  /// The section, or without sections what the index points to.
  private static func frames(
    of file: ELFFile, _ index: FrameIndex?
  ) throws(EBPFError) -> (Bytes, UInt64)? {
    if let section = file.section(named: ".eh_frame") {
      return (try file.contents(of: section), section.address)
    }
    guard let address = index?.frames,
      let segment = file.segments.first(where: {
        $0.type == ELFFile.SegmentType.load && address >= $0.virtualAddress
          && address - $0.virtualAddress < $0.fileSize
      })
    else { return nil }
    let skipped = address - segment.virtualAddress
    let loaded = try file.contents(of: segment)
    return (try loaded.slice(at: skipped, count: segment.fileSize - skipped), address)
  }

  /// `PT_GNU_EH_FRAME`.
  private static let indexSegment: UInt32 = 0x6474_e550
}
