internal import EBPF
internal import EBPFSystem

/// Whose events a tracer records: its filter, in the maps of its object.
struct ProcessFilter: Sendable {
  let lists: ProcessLists
  private let first: TracerFilter
  private let excluded: UInt32

  /// - Parameters:
  ///   - filter: what is in force from the beginning.
  ///   - excluded: a process never recorded; nil for none. Process ids are those of this process's own
  ///     namespace.
  ///   - lists: those of a group; nil for the tracer's own.
  init(
    _ filter: TracerFilter, excluding excluded: Int32?, lists: ProcessLists?,
    kernel: any KernelInterface
  ) throws(EBPFError) {
    let numbers = try ProcessNumbers()
    first = numbers.outer(filter)
    self.excluded = excluded.map { UInt32(bitPattern: numbers.outer($0)) } ?? 0
    self.lists = lists ?? ProcessLists(isShared: false, kernel: kernel)
  }

  /// Puts the first filter in force; to be called before anything is attached.
  func begin(_ object: LoadedObject) throws(EBPFError) {
    let maps = try ProcessFilterMaps(object)
    lists.adopt(maps)
    try maps.add(first)
    try maps.switchOver(to: first, excluding: excluded)
    try lists.follow(first)
  }

  /// To be called when everything is attached.
  func didAttach() throws(EBPFError) {
    if !lists.isShared { try lists.complete() }
  }

  /// Puts another filter in force.
  func change(to filter: TracerFilter, in object: LoadedObject) throws(EBPFError) {
    let filter = try ProcessNumbers().outer(filter)
    let maps = try ProcessFilterMaps(object)
    try lists.follow(filter)
    try maps.add(filter)
    try maps.switchOver(to: filter, excluding: excluded)
    // Others of a group may still go by what was there before.
    if !lists.isShared { try maps.removeOthers(than: filter) }
  }
}
