internal import EBPFSystem

// One program takes another's place.

extension Link {
  /// Lets another program run here from the next event on, with no event between them that neither sees;
  /// with `replacing`, only if that one is what runs here now.
  ///
  /// For control groups and network namespaces (Linux 5.7), XDP (5.9), tcx (6.6) and iterators. From then on
  /// the link belongs to the object of `program`: it ends when that one is unloaded.
  public mutating func update(
    to program: Program, replacing present: Program? = nil
  ) throws(EBPFError) {
    let link = try updatable()
    try program.withDescriptor { (new) throws(EBPFError) in
      guard let present else { return try update(link, to: new, replacing: nil) }
      try present.withDescriptor { (old) throws(EBPFError) in
        try update(link, to: new, replacing: old)
      }
    }
    move(to: program.attachments, named: program.name)
  }

  /// Lets the kernel use another structure of the same kind instead, as the structure itself allows (of a
  /// `tcp_congestion_ops`, when it has the same name). Linux 6.4.
  public mutating func update(to structOps: StructOps) throws(EBPFError) {
    let link = try updatable()
    try structOps.store()
    try update(link, to: structOps.map.fileDescriptor, replacing: nil)
    move(to: structOps.attachments, named: structOps.name)
  }

  private func updatable() throws(EBPFError) -> SharedDescriptor {
    guard let link = attachment.singleLink else {
      throw EBPFError(
        .unsupported, "what runs at \(place) cannot be replaced: it is attached by \(mechanism)",
        hint: "detach it and attach the other one")
    }
    return link
  }

  private func update(
    _ link: SharedDescriptor, to new: Int32, replacing old: Int32?
  ) throws(EBPFError) {
    do throws(Errno) {
      try kernel.updateLink(link.number, program: new, replacing: old)
    } catch {
      let failure = error.failure(of: "bpf(BPF_LINK_UPDATE)")
      switch error {
      case .notPermitted where old != nil:
        throw EBPFError(
          .invalidState, "another program than expected runs at \(place)", systemCall: failure,
          hint: "somebody else replaced it; read the link's information again")
      case .invalid, .notSupported, .notSupportedInternal:
        throw EBPFError(
          .unsupported, "what runs at \(place) cannot be replaced by this", systemCall: failure,
          hint:
            "both have to be of one type, at a place whose links can be updated: control groups, "
            + "network namespaces, interfaces, iterators, struct_ops; otherwise detach and attach")
      default:
        throw EBPFError(
          .system, "what runs at \(place) was not replaced", systemCall: failure)
      }
    }
  }

  private mutating func move(to other: AttachmentSet, named name: String) {
    attachments.remove(attachment)
    other.add(attachment)
    attachments = other
    programName = name
  }
}
