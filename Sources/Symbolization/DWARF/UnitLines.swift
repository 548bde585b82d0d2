/// The source lines of a unit: its line number program, and the paths of the files it names.
struct UnitLines {
  private var program: LineProgram?
  /// What there is could not be read: it makes no sense, or is more than may be read.
  private(set) var isUnread = false
  private var paths: [UInt64: String] = [:]

  /// - Parameter budget: bytes that may still be read, of which the program's are taken.
  init(_ unit: DWARFUnit, _ sections: DWARFSections, _ budget: inout Int) {
    guard let offset = unit.lineProgram else { return }
    isUnread = sections.lacksLines
    guard !isUnread else { return }
    do throws(MalformedDWARF) {
      let program = try LineProgram(sections, at: offset, of: unit)
      guard program.size <= budget else {
        isUnread = true
        return
      }
      budget -= program.size
      self.program = program
    } catch { isUnread = true }
  }

  /// Where each of these addresses, in order, comes from.
  mutating func places(at addresses: [UInt64]) -> [LineProgram.Place?] {
    let unknown = [LineProgram.Place?](repeating: nil, count: addresses.count)
    guard let program else { return unknown }
    do throws(MalformedDWARF) { return try program.places(at: addresses) } catch {
      isUnread = true
      return unknown
    }
  }

  /// The line with its file's path.
  mutating func source(_ place: LineProgram.Place?) -> SourceLine? {
    guard let place, let program, let line = Int(exactly: place.line) else { return nil }
    if let known = paths[place.file] { return SourceLine(file: known, line: line) }
    do throws(MalformedDWARF) {
      guard let path = try program.path(of: place.file) else { return nil }
      paths[place.file] = path
      return SourceLine(file: path, line: line)
    } catch {
      isUnread = true
      return nil
    }
  }
}
