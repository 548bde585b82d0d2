/// The whole of `ebpf validate`: every table of an object, its CO-RE records resolved against its
/// own types, its programs linked and disassembled.
func fuzzValidate(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  unsafe FuzzInput.run(start, count) { bytes throws(EBPFError) in
    var targets: [BTF] = []
    FuzzInput.attempt { () throws(EBPFError) in
      if let types = try ObjectFile(parsing: bytes).btf { targets = [types] }
    }
    let report = ObjectReport(bytes, name: "fuzz.bpf.o", targets: targets)
    for finding in report.findings { precondition(!finding.error.message.isEmpty) }
  }
}
