internal import EBPF

/// The stacks the kernel sent, by their id: all in one array, so that a stack costs no allocation of its
/// own.
///
/// Addresses are kept as signed distances from the one before, seven bits in a byte (LEB128): most callers
/// are near, and take three bytes in place of eight.
struct StackTable: Sendable {
  private var distances: [UInt8] = []
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
      record.byteCount >= 24 + 8 * Int(depth), let start = UInt32(exactly: distances.count)
    else { return false }
    let id = StackID(low: low, high: high)
    // Sent again when the kernel forgot that it was sent.
    guard places[id] == nil else { return true }
    guard places.count < limit else {
      lost += 1
      return true
    }
    var last: UInt64 = 0
    for index in 0..<Int(depth) {
      guard let address = record.integer(at: 24 + 8 * index, as: UInt64.self, order: .host) else {
        return false
      }
      append(Int64(bitPattern: address &- last))
      last = address
    }
    places[id] = Place(start: start, depth: depth, isCut: flags & 2 != 0, isBroken: flags & 4 != 0)
    return true
  }

  /// The sign goes lowest, so that small distances down are short too.
  private mutating func append(_ distance: Int64) {
    var bits = UInt64(bitPattern: distance << 1 ^ distance >> 63)
    while bits >= 0x80 {
      distances.append(UInt8(truncatingIfNeeded: bits) | 0x80)
      bits >>= 7
    }
    distances.append(UInt8(truncatingIfNeeded: bits))
  }

  private func addresses(_ place: Place) -> [UInt64] {
    var next = Int(place.start)
    var address: UInt64 = 0
    return (0..<Int(place.depth)).map { _ in
      var bits: UInt64 = 0
      var shift: UInt64 = 0
      while true {
        let byte = distances[next]
        next += 1
        bits |= UInt64(byte & 0x7f) << shift
        guard byte & 0x80 != 0 else { break }
        shift += 7
      }
      address &+= bits >> 1 ^ (0 &- (bits & 1))
      return address
    }
  }

  /// A stack as it was taken.
  struct Stack {
    /// The addresses, leaf first.
    var addresses: [UInt64]
    /// It is deeper than what is kept: frames nearest to the root are missing.
    var isCut: Bool
    /// The walk did not find its way to the root.
    var isBroken: Bool
  }

  /// What is known of a stack.
  subscript(id: StackID) -> Stack? {
    guard let place = places[id] else { return nil }
    return Stack(addresses: addresses(place), isCut: place.isCut, isBroken: place.isBroken)
  }
}
