/// An object with what only a report wants to know of it.
struct ParsedObject {
  let object: ObjectFile
  /// The section names of its programs, in their order.
  let programSections: [SectionName]
  let elf: ELFFile
  /// The functions in executable sections.
  let functionCount: Int
  /// The CO-RE records in the file's order, each counted from its function's start.
  let relocations: [Record]

  /// A CO-RE record and where it is.
  struct Record: Sendable {
    let record: CORERecord
    let function: String
    let section: String
  }
}

extension CodeSections {
  /// The CO-RE records in the file's order; those outside every function belong to code that a static
  /// linker dropped.
  func relocations(
    _ information: BTFExt?, _ btf: BTF?, _ findings: inout ObjectFindings
  ) throws(EBPFError) -> [ParsedObject.Record] {
    guard let information, let btf else { return [] }
    var result: [ParsedObject.Record] = []
    result.reserveCapacity(sections.reduce(0) { $0 + $1.coreRecords.count })
    var accesses = BTFStringCache()
    var places = SectionPlaces(sections)
    for part in information.relocations {
      guard let place = places.find(part.name) else { continue }
      let functions = functions[functions(inSection: sections[place].index)]
      for record in part.records {
        let place = Int(record.byteOffset / 8)
        guard let function = Self.function(at: place, in: functions),
          let kind = CORERecord.Kind(rawValue: record.kind)
        else { continue }
        let access = try findings.attempt { () throws(EBPFError) in
          try accesses.string(at: record.accessOffset, in: btf)
        }
        guard let access else { continue }
        result.append(
          ParsedObject.Record(
            record: CORERecord(
              instruction: place - function.start, typeID: record.typeID, access: access,
              kind: kind),
            function: function.name, section: part.name))
      }
    }
    return result
  }

  /// The functions of a section, which lie side by side in ``functions``.
  private func functions(inSection section: Int) -> Range<Int> {
    func firstFunction(from section: Int) -> Int {
      var low = 0
      var high = functions.count
      while low < high {
        let middle = low + (high - low) / 2
        if functions[middle].section < section { low = middle + 1 } else { high = middle }
      }
      return low
    }
    return firstFunction(from: section)..<firstFunction(from: section + 1)
  }

  /// The function that holds an instruction; functions are sorted by start.
  private static func function(
    at place: Int, in functions: ArraySlice<CodeFunction>
  ) -> CodeFunction? {
    var low = functions.startIndex
    var high = functions.endIndex
    while low < high {
      let middle = low + (high - low) / 2
      if functions[middle].start <= place { low = middle + 1 } else { high = middle }
    }
    guard low > functions.startIndex, place < functions[low - 1].end else { return nil }
    return functions[low - 1]
  }
}
