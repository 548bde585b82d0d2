/// The maps found so far, and where in the file each was declared.
struct MapTable {
  /// What an address in a section means.
  enum Target {
    /// A map that was declared exactly there.
    case map(String)
    /// A byte of a data section's map, which has that many.
    case value(String, size: UInt64)
  }

  /// A map in `.maps` and the extent of its definition, for its initial slots.
  struct Definition {
    let map: Int
    let offset: UInt64
    let size: UInt64
    /// Where the `values` member begins, from the definition's start; nil for a map without.
    let slotsOffset: UInt64?
  }

  /// A variable that implements a kernel structure, for its members' programs.
  struct StructOps {
    let map: Int
    let place: Place
  }

  private(set) var specs: [MapSpec] = []
  private(set) var structOps: [StructOps] = []
  private(set) var definitions: [Definition] = []
  private var places: [Place: Int] = [:]
  private var dataSections: [Int: Int] = [:]
  /// Sections that hold nothing but map definitions.
  private(set) var mapSections: Set<Int> = []

  mutating func add(_ map: MapSpec, at place: Place? = nil) {
    if let place {
      mapSections.insert(place.section)
      places[place] = specs.count
    }
    specs.append(map)
  }

  mutating func addDefinition(_ map: MapSpec, at place: Place, size: UInt64, slotsOffset: UInt64?) {
    definitions.append(
      Definition(map: specs.count, offset: place.offset, size: size, slotsOffset: slotsOffset))
    add(map, at: place)
  }

  mutating func addStructOps(_ map: MapSpec, at place: Place) {
    structOps.append(StructOps(map: specs.count, place: place))
    specs.append(map)
  }

  mutating func addData(_ map: MapSpec, section: Int) {
    dataSections[section] = specs.count
    specs.append(map)
  }

  mutating func setSlot(_ slot: UInt32, of map: Int, to target: MapSpec.SlotTarget) {
    specs[map].slots[slot] = target
  }

  mutating func setInner(_ inner: MapSpec, of map: Int) { specs[map].inner = [inner] }

  /// The map declared at a place, if there is one.
  func name(at place: Place) -> String? { places[place].map { specs[$0].name } }

  /// What an address means; nil when the section holds no map there.
  func target(at place: Place) -> Target? {
    if let index = dataSections[place.section] {
      return .value(specs[index].name, size: UInt64(specs[index].valueSize))
    }
    return name(at: place).map { .map($0) }
  }
}
