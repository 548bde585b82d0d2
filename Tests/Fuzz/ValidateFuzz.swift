/// A whole object file: everything that `ebpf validate` does with it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzValidate(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  unsafe FuzzInput.run(start, count) { bytes throws(EBPFError) in
    let report = ObjectReport(bytes, name: "input", sizeLimit: 1 << 21)
    _ = report.isValid
    _ = report.minimumKernel
    for finding in report.findings { _ = finding.error.description }
    guard let object = report.object else { return }
    for program in object.programs {
      FuzzInput.attempt { () throws(EBPFError) in
        _ = try ProgramListing(program, btf: object.btf)
      }
    }
    for map in object.maps { _ = map.normalized(cpuCount: 4) }
    FuzzInput.attempt { () throws(EBPFError) in _ = try object.kernelBTF() }
    // Its own types as the kernel's: relocations get as far as they can.
    guard let btf = object.btf else { return }
    _ = ObjectReport(bytes, name: "input", targets: [btf], sizeLimit: 1 << 21).relocations
  }
}
