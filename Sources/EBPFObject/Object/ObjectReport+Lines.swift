extension ObjectReport {
  /// Reports source lines that are not in the object's strings, for which the kernel refuses programs:
  /// the first of each program.
  mutating func checkLines(_ object: ObjectFile) {
    guard let end = object.btf?.stringEnd else { return }
    for program in object.programs {
      let damaged = program.lines.first { max($0.textOffset, $0.fileNameOffset) >= end }
      guard let damaged else { continue }
      add(
        .error,
        EBPFError(
          .malformed,
          "a source line is at \(max(damaged.textOffset, damaged.fileNameOffset)), past the end of "
            + "the BTF strings",
          context: [
            .section(".BTF.ext"), .program(program.name), .instruction(damaged.instruction),
          ],
          hint: "the file is damaged; build or copy it again"))
    }
  }
}
