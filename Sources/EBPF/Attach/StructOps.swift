internal import EBPFSystem

/// A kernel structure of functions (struct_ops) that programs of an object implement: a
/// `tcp_congestion_ops` of one's own, for example. Loaded, but not used by the kernel before
/// ``attach()``. Linux 5.6.
public final class StructOps: Sendable {
  /// A member that is a function.
  public struct Function: Sendable {
    /// The member's name.
    public let member: String
    /// Where its descriptor goes in the map's value.
    let offset: Int
    /// The program that implements it.
    public let program: Program
  }

  /// The map; its name is the variable's in the object.
  public let map: RawMap
  /// The kernel structure's name.
  public let structure: String
  /// The members that are functions, in the object's order.
  public let functions: [Function]
  private let image: [UInt8]
  let attachments: AttachmentSet

  init(
    map: RawMap, structure: String, image: [UInt8], functions: [Function],
    attachments: AttachmentSet
  ) {
    self.map = map
    self.structure = structure
    self.image = image
    self.functions = functions
    self.attachments = attachments
  }

  /// The variable's name in the object.
  public var name: String { map.name }

  /// True for structures in `.struct_ops.link` (Linux 6.4): they are registered by a link, and gone with
  /// it. Others stay registered even when this process is killed.
  public var hasLink: Bool { map.information.flags & MapSpec.linkFlag != 0 }

  /// Gives the structure to the kernel, as `bpf_map__attach_struct_ops` does. It is used from the moment
  /// this returns, until the link goes away.
  public func attach() throws(EBPFError) -> Link {
    try EBPFError.at(.map(name)) { () throws(EBPFError) -> Link in
      try store()
      let attachment: Attachment
      if hasLink {
        attachment = Attachment(link: try createLink())
      } else {
        var parts = Attachment.Parts()
        parts.registrations = [StructOpsRegistration(map: map)]
        attachment = Attachment(parts)
      }
      return Link(
        attachment, structOps: self, attachments: attachments,
        mechanism: hasLink ? .structOpsLink : .structOps)
    }
  }

  /// Writes the map's value; one without a link is registered thereby.
  func store() throws(EBPFError) {
    try withDescriptors(of: functions[...], image) { (value) throws(EBPFError) in
      var failure: Errno?
      let key: [UInt8] = [0, 0, 0, 0]
      do throws(Errno) {
        try map.kernel.update(
          map: map.fileDescriptor, key: key.span.rawBytes, value: value.span.rawBytes, flags: 0)
      } catch { failure = error }
      // The value of a map with links is written once, and stays.
      if let failure, !(hasLink && failure == .busy) {
        throw EBPFError.registeringStructOps(self, "bpf(BPF_MAP_UPDATE_ELEM)", failure)
      }
    }
  }

  /// Calls `body` with the value that holds the descriptors of all programs, open meanwhile.
  private func withDescriptors(
    of rest: ArraySlice<Function>, _ value: [UInt8],
    _ body: ([UInt8]) throws(EBPFError) -> Void
  ) throws(EBPFError) {
    guard let function = rest.first else { return try body(value) }
    try function.program.withDescriptor { (descriptor) throws(EBPFError) in
      var value = value
      var bytes: [UInt8] = []
      ObjectLoader.append(UInt32(bitPattern: descriptor), to: &bytes)
      // The member is an address; the kernel reads all of it as the descriptor's number.
      bytes = ByteOrder.host == .little ? bytes + [0, 0, 0, 0] : [0, 0, 0, 0] + bytes
      value.replaceSubrange(function.offset..<function.offset + 8, with: bytes)
      try withDescriptors(of: rest.dropFirst(), value, body)
    }
  }

  private func createLink() throws(EBPFError) -> OwnedDescriptor {
    do throws(Errno) {
      return try map.kernel.createLink(
        LinkRequest(
          program: map.fileDescriptor, target: 0, attachType: AttachType.structOps.rawValue))
    } catch { throw EBPFError.registeringStructOps(self, "bpf(BPF_LINK_CREATE)", error) }
  }
}

/// A structure that the kernel uses without a link: taken back by deleting the map's element.
struct StructOpsRegistration: Sendable {
  let map: RawMap

  func remove() throws(EBPFError) {
    let key: [UInt8] = [0, 0, 0, 0]
    do throws(Errno) {
      try map.kernel.delete(map: map.fileDescriptor, key: key.span.rawBytes)
    } catch {
      // Somebody else took it back.
      if error == .noEntry { return }
      throw EBPFError(
        .system, "the kernel keeps using '\(map.name)'", context: [.map(map.name)],
        systemCall: error.failure(of: "bpf(BPF_MAP_DELETE_ELEM)"))
    }
  }
}
