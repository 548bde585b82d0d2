public import EBPFSystem

/// The programs, maps, links and BTF objects that are in the kernel, whoever brought them there.
public enum KernelObjects {
  /// The ids of all objects of a kind, in order. Needs `CAP_SYS_ADMIN`.
  public static func ids(
    of kind: KernelObjectKind, kernel: any KernelInterface = LiveKernel()
  ) throws(EBPFError) -> [UInt32] {
    var ids: [UInt32] = []
    var last: UInt32 = 0
    do throws(Errno) {
      while let next = try kernel.nextID(kind, after: last) {
        ids.append(next)
        last = next
      }
    } catch {
      throw EBPFError.refused(
        error == .notPermitted ? .denied : .system, "cannot list the \(word(kind)) in the kernel",
        call: "bpf(BPF_\(call(kind))_GET_NEXT_ID)", error,
        hint: error == .notPermitted
          ? EBPFError.privilegeHint(needs: [.systemAdministration]) : nil)
    }
    return ids
  }

  /// Opens the object with an id. Needs `CAP_SYS_ADMIN`.
  public static func open(
    _ kind: KernelObjectKind, id: UInt32, readOnly: Bool = false,
    kernel: any KernelInterface = LiveKernel()
  ) throws(EBPFError) -> OwnedDescriptor {
    do throws(Errno) {
      return try kernel.open(kind, id: id, flags: readOnly ? MapFlags.readOnly : 0)
    } catch { throw EBPFError.openingID(kind, id, error) }
  }

  private static func word(_ kind: KernelObjectKind) -> String {
    switch kind {
    case .program: "programs"
    case .map: "maps"
    case .btf: "BTF objects"
    case .link: "links"
    }
  }

  private static func call(_ kind: KernelObjectKind) -> String {
    switch kind {
    case .program: "PROG"
    case .map: "MAP"
    case .btf: "BTF"
    case .link: "LINK"
    }
  }
}
