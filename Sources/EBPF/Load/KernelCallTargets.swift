/// The kernel functions that calls in translated programs go to.
public enum KernelCallTargets {
  /// What the verifier measures distances from.
  private static let base = "__bpf_call_base"

  /// The functions at these distances from `__bpf_call_base`; those that are not known, or all where
  /// the kernel hides its addresses, are missing.
  public static func names(ofDistances distances: Set<Int32>) throws(EBPFError) -> [Int32: String] {
    let start: UInt64
    do throws(EBPFError) {
      guard let found = try KernelSymbolNames.addresses(of: [base])[base] else { return [:] }
      start = found
    } catch {
      if error.code == .denied { return [:] }
      throw error
    }
    var wanted: [UInt64: Int32] = [:]
    for distance in distances { wanted[start &+ UInt64(bitPattern: Int64(distance))] = distance }
    var names: [Int32: String] = [:]
    try KernelSymbolNames.forEachFunction { (address, name) in
      guard let distance = wanted[address], names[distance] == nil else { return }
      names[distance] = String(decoding: name, as: UTF8.self)
    }
    return names
  }
}
