import EBPFTracers

/// Why walks by unwind table ended, in samples.
struct WalkEndsDocument: Encodable {
  let outermost: UInt64
  let noProcess: UInt64
  let noMapping: UInt64
  let noRow: UInt64
  let unsupported: UInt64
  let unreadable: UInt64
  let tooDeep: UInt64

  init(_ walks: StackWalks) {
    outermost = walks.complete
    noProcess = walks.noProcess
    noMapping = walks.noMapping
    noRow = walks.noRow
    unsupported = walks.unsupported
    unreadable = walks.unreadable
    tooDeep = walks.tooDeep
  }
}
