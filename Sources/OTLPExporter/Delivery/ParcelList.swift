/// A first-in, first-out list that also takes a parcel back at its front.
struct ParcelList: Sendable {
  private var front: [DeliveryQueue.Parcel] = []  // reversed: the last one is next
  private var back: [DeliveryQueue.Parcel] = []
  private var inMemory = 0

  var isEmpty: Bool { front.isEmpty && back.isEmpty }
  /// Whether nothing in the list would be lost with the process.
  var isAllSpooled: Bool { inMemory == 0 }

  mutating func append(_ parcel: DeliveryQueue.Parcel) {
    count(parcel, 1)
    back.append(parcel)
  }

  mutating func prepend(_ parcel: DeliveryQueue.Parcel) {
    count(parcel, 1)
    front.append(parcel)
  }

  /// Takes the next parcel; the list must not be empty.
  mutating func removeFirst() -> DeliveryQueue.Parcel {
    if front.isEmpty {
      front = back.reversed()
      back = []
    }
    let parcel = front.removeLast()
    count(parcel, -1)
    return parcel
  }

  private mutating func count(_ parcel: DeliveryQueue.Parcel, _ change: Int) {
    if !parcel.isSpooled { inMemory += change }
  }
}
