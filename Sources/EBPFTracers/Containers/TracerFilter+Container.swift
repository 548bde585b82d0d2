public import EBPF
internal import EBPFSystem

extension TracerFilter {
  /// Narrows the filter to a running container, whose id (or name, for runtimes that have names only)
  /// begins so.
  ///
  /// By its control group, which covers what it starts later. Where groups of version 2 do not tell
  /// containers apart, by the processes that are in it now, and those they start.
  @discardableResult
  public mutating func addContainer(_ prefix: String) throws(EBPFError) -> ContainerIdentity {
    guard !prefix.isEmpty else {
      throw EBPFError(.invalidArgument, "a container's id cannot begin with nothing")
    }
    let groups = CgroupDirectory().all()
    var found: [ContainerIdentity: Set<UInt64>] = [:]
    var others: Set<String> = []
    for (id, place) in groups {
      guard let container = place.container else { continue }
      if container.id.hasPrefix(prefix) {
        found[container, default: []].insert(id)
      } else {
        others.insert(container.id)
      }
    }
    if let container = try TracerFilter.only(Array(found.keys), prefix) {
      cgroups.formUnion(found[container] ?? [])
      return container
    }
    var members: [ContainerIdentity: Set<Int32>] = [:]
    for (process, container) in TracerFilter.containers() {
      if container.id.hasPrefix(prefix) {
        members[container, default: []].insert(process)
      } else {
        others.insert(container.id)
      }
    }
    if let container = try TracerFilter.only(Array(members.keys), prefix) {
      processes.formUnion(members[container] ?? [])
      followsChildren = true
      return container
    }
    throw EBPFError(
      .notFound, "no running container's id begins with '\(prefix)'",
      hint: others.isEmpty
        ? "no container is running, as far as control groups tell"
        : "running: " + others.sorted().map { String($0.prefix(12)) }.joined(separator: ", "))
  }

  /// The one that is meant; nil when there is none.
  private static func only(
    _ containers: [ContainerIdentity], _ prefix: String
  ) throws(EBPFError) -> ContainerIdentity? {
    guard Set(containers.map(\.id)).count > 1 else { return containers.first }
    throw EBPFError(
      .invalidArgument, "\(containers.count) containers' ids begin with '\(prefix)'",
      hint: "give more of it: " + containers.map(\.id).sorted().joined(separator: ", "))
  }

  /// The containers of all processes, by their own word.
  private static func containers() -> [Int32: ContainerIdentity] {
    let directory = CgroupDirectory()
    let names: [String]
    do throws(Errno) { names = try FileSystem.entries("/proc") } catch { return [:] }
    var containers: [Int32: ContainerIdentity] = [:]
    for process in names.compactMap({ Int32($0) }) {
      containers[process] = directory.place(ofProcess: process)?.container
    }
    return containers
  }
}
