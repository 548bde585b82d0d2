import ArgumentParser
import EBPF
import EBPFSystem

/// A link in the kernel, with everything that lists show; the JSON has bpftool's keys.
struct KernelLink: Encodable {
  let id: UInt32
  let type: String
  let progId: UInt32
  /// Where it is attached, as far as the kernel tells.
  var tpName: String?
  var targetName: String?
  var attachType: String?
  var targetObjId: UInt32?
  var targetBtfId: UInt32?
  var cgroupId: UInt64?
  var netnsIno: UInt32?
  var ifindex: UInt32?
  var pids: [ObjectHolders.Holder]?

  init(_ descriptor: borrowing OwnedDescriptor, holders: ObjectHolders) throws(EBPFError) {
    let found: LinkInformation
    do throws(Errno) { found = try LiveKernel().linkInformation(descriptor.rawValue) } catch {
      throw EBPFError(
        .system, "the kernel does not describe the link: \(error.text)",
        systemCall: .init(
          call: "bpf(BPF_OBJ_GET_INFO_BY_FD)", errno: error.rawValue, name: error.name))
    }
    id = found.id
    let kind = LinkType(rawValue: found.type)
    type = kind.map { "\($0)" } ?? "type \(found.type)"
    progId = found.programID
    // The words of the union in `struct bpf_link_info` (linux/bpf.h), in host order.
    func half(_ index: Int) -> UInt32 {
      let word = index / 2 < found.detail.count ? found.detail[index / 2] : 0
      #if _endian(little)
        return UInt32(truncatingIfNeeded: index % 2 == 0 ? word : word >> 32)
      #else
        return UInt32(truncatingIfNeeded: index % 2 == 1 ? word : word >> 32)
      #endif
    }
    func attached(_ number: UInt32) -> String { AttachType(rawValue: number).name }
    switch kind {
    case .rawTracepoint: tpName = found.name
    case .tracing:
      attachType = attached(half(0))
      targetObjId = half(1)
      targetBtfId = half(2)
    case .cgroup:
      cgroupId = found.detail.first
      attachType = attached(half(2))
    case .iterator: targetName = found.name
    case .networkNamespace:
      netnsIno = half(0)
      attachType = attached(half(1))
    case .xdp: ifindex = half(0)
    case .tcx, .netkit:
      ifindex = half(0)
      attachType = attached(half(1))
    default: break
    }
    let processes = holders.of(.link, found.id)
    if !processes.isEmpty { pids = processes }
  }

  /// Where it is attached, in words.
  var place: String {
    var parts: [String] = []
    if let attachType { parts.append(attachType) }
    if let tpName { parts.append(tpName) }
    if let targetName { parts.append(targetName) }
    if let targetBtfId, targetBtfId != 0 { parts.append("BTF type \(targetBtfId)") }
    if let cgroupId { parts.append("cgroup \(cgroupId)") }
    if let netnsIno { parts.append("network namespace \(netnsIno)") }
    if let ifindex { parts.append("interface \(ifindex)") }
    return parts.joined(separator: " ")
  }

  /// Opens the link that a reference means.
  static func open(_ reference: ObjectReference) throws(EBPFError) -> OwnedDescriptor {
    switch reference {
    case .pinned(let path): return try Pinning.open(path, .link)
    case .id(let id): return try KernelObjects.open(.link, id: id)
    case .name, .tag: throw EBPFError(.invalidArgument, "links have no names and no tags")
    }
  }
}

/// `BPF_LINK_TYPE_*` (linux/bpf.h), printed as bpftool does.
enum LinkType: UInt32, CustomStringConvertible {
  case unspecified = 0
  case rawTracepoint, tracing, cgroup, iterator, networkNamespace, xdp, perfEvent, kprobeMulti
  case structOps, netfilter, tcx, uprobeMulti, netkit, socketMap

  var description: String {
    switch self {
    case .unspecified: "unspec"
    case .rawTracepoint: "raw_tracepoint"
    case .tracing: "tracing"
    case .cgroup: "cgroup"
    case .iterator: "iter"
    case .networkNamespace: "netns"
    case .xdp: "xdp"
    case .perfEvent: "perf_event"
    case .kprobeMulti: "kprobe_multi"
    case .structOps: "struct_ops"
    case .netfilter: "netfilter"
    case .tcx: "tcx"
    case .uprobeMulti: "uprobe_multi"
    case .netkit: "netkit"
    case .socketMap: "sockmap"
    }
  }
}

/// `ebpf link`.
struct LinkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "link",
    _superCommandName: "ebpf",
    abstract: "List, inspect and detach the links in the kernel.",
    discussion: """
      REF is an id, the path of a pin, or, as with bpftool: id N, pinned PATH.

      EXAMPLES
        ebpf link                       every link, and who has it open
        ebpf link detach 12

      Needs CAP_SYS_ADMIN to go by ids. JSON has bpftool's keys. Links to perf events and raw \
      tracepoints cannot be detached: they go with the last process or pin that holds them.
      """, subcommands: [List.self, Show.self, Detach.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Every link, one line each.")

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    mutating func run() throws {
      try Reporting.run(json: json) { () throws(EBPFError) in
        let holders = ObjectHolders()
        var links: [KernelLink] = []
        for id in try KernelObjects.ids(of: .link) {
          do throws(EBPFError) {
            links.append(
              try KernelLink(try KernelObjects.open(.link, id: id), holders: holders))
          } catch {
            // It has gone meanwhile.
            guard error.code == .notFound else { throw error }
          }
        }
        if json { return try Output.write(JSONDocument.text(links)) }
        var table = TextTable(rightAligned: [0, 2])
        table.add("ID", "TYPE", "PROGRAM", "WHERE", "HELD BY")
        for link in links {
          table.add(
            "\(link.id)", link.type, "\(link.progId)", link.place, KernelText.holders(link.pids))
        }
        try Output.write(table.text())
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "One link, in full.")

    @Argument(help: ArgumentHelp("Which one.", valueName: "ref"))
    var ref: [String]

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    mutating func run() throws {
      let reference = try ObjectReference.parse(only: ref, .link)
      try Reporting.run(json: json) { () throws(EBPFError) in
        let link = try KernelLink(try KernelLink.open(reference), holders: ObjectHolders())
        if json { return try Output.write(JSONDocument.text(link)) }
        var table = TextTable()
        table.add("link", "\(link.id)")
        table.add("type", link.type)
        table.add("program", "\(link.progId)")
        if !link.place.isEmpty { table.add("where", link.place) }
        if link.pids != nil { table.add("held by", KernelText.holders(link.pids)) }
        try Output.write(table.text())
      }
    }
  }

  struct Detach: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "detach",
      abstract: "Detach a link's program; the link stays without one.")

    @Argument(help: ArgumentHelp("Which one.", valueName: "ref"))
    var ref: [String]

    mutating func run() throws {
      let reference = try ObjectReference.parse(only: ref, .link)
      try Reporting.run(json: false) { () throws(EBPFError) in
        let descriptor = try KernelLink.open(reference)
        do throws(Errno) { try LiveKernel().detachLink(descriptor.rawValue) } catch {
          throw EBPFError(
            error == .notSupported ? .unsupported : .system,
            "cannot detach link \(reference.description): \(error.text)",
            systemCall: .init(
              call: "bpf(BPF_LINK_DETACH)", errno: error.rawValue, name: error.name),
            hint: error == .notSupported
              ? "links of this kind go with the last process or pin that holds them; 'ebpf link' "
                + "says who does" : nil)
        }
      }
    }
  }
}
