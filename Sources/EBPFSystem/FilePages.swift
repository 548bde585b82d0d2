internal import CEBPF
public import EBPFObject

/// The pages of this process that are as they are in their files: its code, and what is constant.
///
/// They are resident once they were used, with their neighbours, however seldom that is: of a large program
/// starting alone leaves tens of megabytes. The kernel has them in its cache of the file all the same.
public enum FilePages {
  /// Lets the kernel take them out of this process. What is used again comes back from the cache, some
  /// pages with each fault; of a program that goes on doing the same that is a few hundred faults.
  ///
  /// Pages that were written are not touched, by whomever: the dynamic loader, a debugger's breakpoints.
  /// Throws where `/proc/self` cannot be read.
  public static func release() throws(EBPFError) {
    let text = try reading("/proc/self/maps") { (path) throws(Errno) in
      try SystemFile.read(path, limit: 64 << 20)
    }
    let maps = try ProcessMaps(parsing: text, executableOnly: false)
    try reading("/proc/self/pagemap") { (path) throws(Errno) in
      let pages = try SystemFile.open(path)
      for mapping in maps.mappings where mapping.kind == .file {
        guard mapping.access.isDisjoint(with: [.write, .shared]) else { continue }
        try release(mapping, pages)
      }
    }
  }

  private static func reading<Value>(
    _ path: String, _ body: (String) throws(Errno) -> Value
  ) throws(EBPFError) -> Value {
    do throws(Errno) { return try body(path) } catch {
      throw EBPFError(
        .system, "the pages of this process cannot be looked at: \(error.text)",
        context: [.file(path)])
    }
  }

  // MARK: -

  /// 4096 entries of 8 bytes: 16 MiB of a mapping.
  private static let pagesAtOnce: UInt64 = 4096

  private static func release(
    _ mapping: ProcessMapping, _ pagemap: borrowing OwnedDescriptor
  ) throws(Errno) {
    let size = cebpf_page_size()
    var entries = [UInt64](repeating: 0, count: Int(pagesAtOnce))
    var first = mapping.start / size
    let end = mapping.end / size
    while first < end {
      let count = Int(min(end - first, pagesAtOnce))
      let number = pagemap.rawValue
      // No mapping of a file reaches so far up that the offset is no positive number.
      let offset = Int64(truncatingIfNeeded: first * 8)
      let bytes = try Errno.check(
        unsafe entries.withUnsafeMutableBytes { buffer in
          // SAFETY: the array is not empty and has room for `count` entries.
          unsafe cebpf_read_at(number, buffer.baseAddress.unsafelyUnwrapped, count * 8, offset)
        })
      // It ends where the mapping did meanwhile.
      guard bytes >= 8 else { return }
      let read = Int(bytes) / 8
      for run in unwrittenRuns(of: entries[..<read]) {
        let start = UInt((first + UInt64(run.lowerBound)) * size)
        // SAFETY: the pages are those of a file, which nobody may write; they are found there again. It
        // fails where memory is locked, which then stays.
        if let start = unsafe UnsafeRawPointer(bitPattern: start) {
          _ = unsafe cebpf_release_pages(start, run.count * Int(size))
        }
      }
      first += UInt64(read)
    }
  }

  /// Where pages follow each other that are the file's own or not there, by their entries in
  /// `/proc/PID/pagemap` (`admin-guide/mm/pagemap.rst`).
  package static func unwrittenRuns(of entries: ArraySlice<UInt64>) -> [Range<Int>] {
    let (present, swapped, ofFile) = (UInt64(1) << 63, UInt64(1) << 62, UInt64(1) << 61)
    var runs: [Range<Int>] = []
    var start: Int?
    for (index, entry) in entries.enumerated() {
      let isOwn = entry & swapped != 0 || entry & present != 0 && entry & ofFile == 0
      if !isOwn, start == nil { start = index }
      if isOwn, let first = start {
        runs.append(first..<index)
        start = nil
      }
    }
    if let start { runs.append(start..<entries.count) }
    return runs
  }
}
