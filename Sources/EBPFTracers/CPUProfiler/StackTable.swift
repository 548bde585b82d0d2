internal import EBPF

/// The stacks the kernel sent, by their id: all addresses in one array, so that a stack costs no
/// allocation of its own.
struct StackTable: Sendable {
  private var addresses: [UInt64] = []
  private var places: [StackID: Place] = [:]
  private let limit: Int
  /// Distinct stacks that found no room, each as often as it was sent.
  private(set) var lost: UInt64 = 0

  /// Keeps at most so many distinct stacks.
  init(limit: Int = .max) { self.limit = limit }

  private struct Place: Sendable {
    var start: UInt32
    var depth: UInt16
    var isCut: Bool
    var isBroken: Bool
  }

  /// The number of distinct stacks.
  var count: Int { places.count }

  /// Keeps the stack of a `struct profiler_stack_event`; false when the record is malformed.
  mutating func add(record: RawSpan) -> Bool {
    guard let flags = record.integer(at: 4, as: UInt16.self, order: .host),
      let depth = record.integer(at: 6, as: UInt16.self, order: .host),
      let low = record.integer(at: 8, as: UInt64.self, order: .host),
      let high = record.integer(at: 16, as: UInt64.self, order: .host),
      record.byteCount >= 24 + 8 * Int(depth), let start = UInt32(exactly: addresses.count)
    else { return false }
    let id = StackID(low: low, high: high)
    // Sent again when the kernel forgot that it was sent.
    guard places[id] == nil else { return true }
    guard places.count < limit else {
      lost += 1
      return true
    }
    for index in 0..<Int(depth) {
      guard let address = record.integer(at: 24 + 8 * index, as: UInt64.self, order: .host) else {
        return false
      }
      addresses.append(address)
    }
    places[id] = Place(start: start, depth: depth, isCut: flags & 2 != 0, isBroken: flags & 4 != 0)
    return true
  }

  /// A stack as it was taken.
  struct Stack {
    /// The addresses, leaf first.
    var addresses: ArraySlice<UInt64>
    /// It is deeper than what is kept: frames nearest to the root are missing.
    var isCut: Bool
    /// The walk did not find its way to the root.
    var isBroken: Bool
  }

  /// What is known of a stack.
  subscript(id: StackID) -> Stack? {
    guard let place = places[id] else { return nil }
    let start = Int(place.start)
    return Stack(
      addresses: addresses[start..<start + Int(place.depth)], isCut: place.isCut,
      isBroken: place.isBroken)
  }
}
