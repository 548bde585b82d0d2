import EBPF
import EBPFSystem

/// A program in the kernel, with everything that lists show; the JSON has bpftool's keys.
struct KernelProgram: Encodable {
  let id: UInt32
  let type: String
  let name: String
  let tag: String
  let gplCompatible: Bool
  var runTimeNs: UInt64?
  var runCnt: UInt64?
  var recursionMisses: UInt64?
  /// When it was loaded, in seconds since 1970.
  let loadedAt: Int64
  let uid: UInt32
  let bytesXlated: UInt32
  let jited: Bool
  var bytesJited: UInt32?
  var bytesMemlock: UInt64?
  var mapIds: [UInt32]?
  var btfId: UInt32?
  let verifiedInsns: UInt32
  var attachBtfObjId: UInt32?
  var attachBtfId: UInt32?
  var pids: [ObjectHolders.Holder]?

  init(
    _ descriptor: borrowing OwnedDescriptor, holders: ObjectHolders
  ) throws(EBPFError) {
    let found = try KernelProgram.information(descriptor, [.maps])
    id = found.id
    type = ProgramType(rawValue: found.type).name
    name = try KernelProgram.fullName(descriptor, found)
    tag = found.tag
    gplCompatible = found.isGPLCompatible
    if found.runTime > 0 {
      runTimeNs = found.runTime
      runCnt = found.runCount
    }
    if found.recursionMisses > 0 { recursionMisses = found.recursionMisses }
    let loaded = Int64(clamping: found.loadTime) &+ Clock.boot.wallOffset
    loadedAt = loaded / 1_000_000_000
    uid = found.user
    bytesXlated = found.translatedSize
    jited = found.machineCodeSize > 0
    if jited { bytesJited = found.machineCodeSize }
    bytesMemlock = DescriptorFigures(own: descriptor.rawValue)?["memlock:"]
    if !found.mapIDs.isEmpty { mapIds = found.mapIDs }
    if found.btfID != 0 { btfId = found.btfID }
    verifiedInsns = found.verifiedInstructions
    if found.attachTypeID != 0 {
      attachBtfObjId = found.attachObjectID
      attachBtfId = found.attachTypeID
    }
    let processes = holders.of(.program, found.id)
    if !processes.isEmpty { pids = processes }
  }

  /// What the kernel says about a program.
  static func information(
    _ descriptor: borrowing OwnedDescriptor, _ details: ProgramDetails
  ) throws(EBPFError) -> ProgramInformation {
    do throws(Errno) {
      return try LiveKernel().programInformation(descriptor.rawValue, details: details)
    } catch {
      throw EBPFError(
        .system, "the kernel does not describe the program: \(error.text)",
        systemCall: .init(
          call: "bpf(BPF_OBJ_GET_INFO_BY_FD)", errno: error.rawValue, name: error.name))
    }
  }

  /// The kernel keeps 15 bytes of a name; the function in its BTF has all of it.
  private static func fullName(
    _ descriptor: borrowing OwnedDescriptor, _ found: ProgramInformation
  ) throws(EBPFError) -> String {
    guard found.name.utf8.count == 15, found.btfID != 0 else { return found.name }
    let details = try information(descriptor, [.functions])
    guard let first = details.functions.first,
      let btf = try KernelBTF.ifThere(id: found.btfID)
    else { return found.name }
    let name = try btf.name(of: btf.type(first.typeID))
    return name.hasPrefix(found.name) ? name : found.name
  }

  /// The programs that a reference means.
  static func descriptors(
    _ reference: ObjectReference, _ body: (borrowing OwnedDescriptor) throws(EBPFError) -> Void
  ) throws(EBPFError) {
    switch reference {
    case .id(let id): try body(try KernelObjects.open(.program, id: id))
    case .pinned(let path): try body(try Pinning.open(path, .program))
    case .name, .tag:
      var count = 0
      try forEach { (descriptor) throws(EBPFError) in
        let found = try information(descriptor, [])
        switch reference {
        case .tag(let tag): guard found.tag == tag else { return }
        case .name(let name):
          guard try fullName(descriptor, found) == name || found.name == name else { return }
        default: return
        }
        count += 1
        try body(descriptor)
      }
      guard count > 0 else {
        throw EBPFError(.notFound, "there is no program \(reference.description)")
      }
    }
  }

  /// Opens every program, one after the other; those that go meanwhile are passed over.
  static func forEach(
    _ body: (borrowing OwnedDescriptor) throws(EBPFError) -> Void
  ) throws(EBPFError) {
    for id in try KernelObjects.ids(of: .program) {
      let descriptor: OwnedDescriptor
      do throws(EBPFError) { descriptor = try KernelObjects.open(.program, id: id) } catch {
        if error.code == .notFound { continue }
        throw error
      }
      try body(descriptor)
    }
  }
}

/// BTF objects in the kernel, as types.
enum KernelBTF {
  /// The types of an object by id; those of a module continue the kernel's own.
  static func open(id: UInt32) throws(EBPFError) -> BTF {
    let descriptor = try KernelObjects.open(.btf, id: id)
    let found = try information(descriptor, withData: true)
    let base = found.isKernel && found.name != "vmlinux" ? try KernelTypes.running.vmlinux() : nil
    return try BTF(parsing: Bytes(found.data), base: base)
  }

  /// The same; nil when it may not be read, or has gone.
  static func ifThere(id: UInt32) throws(EBPFError) -> BTF? {
    do throws(EBPFError) { return try open(id: id) } catch {
      if error.code == .notFound || error.code == .denied { return nil }
      throw error
    }
  }

  /// What the kernel says about a BTF object.
  static func information(
    _ descriptor: borrowing OwnedDescriptor, withData: Bool
  ) throws(EBPFError) -> BTFInformation {
    do throws(Errno) {
      return try LiveKernel().btfInformation(descriptor.rawValue, withData: withData)
    } catch {
      throw EBPFError(
        .system, "the kernel does not describe the BTF object: \(error.text)",
        systemCall: .init(
          call: "bpf(BPF_OBJ_GET_INFO_BY_FD)", errno: error.rawValue, name: error.name))
    }
  }
}
