internal import Glibc

/// All targets are one program, because the parsers are compiled once; FUZZ_TARGET says which one
/// this process is.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  unsafe target(start, count)
}

private typealias Target = @Sendable (UnsafePointer<UInt8>?, Int) -> Int32

private let target: Target = {
  guard let value = unsafe getenv("FUZZ_TARGET") else { fatalError("set FUZZ_TARGET") }
  let name = unsafe String(cString: value)
  guard let target = unsafe targets[name] else { fatalError("there is no target \(name)") }
  return unsafe target
}()

private let targets: [String: Target] = unsafe [
  "BTFExtFuzz": fuzzBTFExt, "BTFFuzz": fuzzBTF, "DWARFFuzz": fuzzDWARF, "ELFFuzz": fuzzELF,
  "SectionNameFuzz": fuzzSectionName, "UnwindFuzz": fuzzUnwind, "ValidateFuzz": fuzzValidate,
]
