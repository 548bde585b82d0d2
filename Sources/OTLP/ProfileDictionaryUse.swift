internal import OTLPMessages

/// Finds what profiles use of their dictionary, and leaves out the rest.
///
/// The same walk over all references is done twice: the first marks what is used, the second gives
/// it its new index. Index 0, which is nothing in every table, stays. A reference to an entry that
/// is not there becomes one to nothing.
struct ProfileDictionaryUse {
  typealias Request =
    Opentelemetry_Proto_Collector_Profiles_V1development_ExportProfilesServiceRequest

  /// One table's entries: used or not, then their new places.
  private struct Table {
    private var isUsed: [Bool]
    private var places: [Int32] = []

    init(count: Int) {
      isUsed = Array(repeating: false, count: count)
      if count > 0 { isUsed[0] = true }
    }

    var isNumbered: Bool { !places.isEmpty || isUsed.isEmpty }

    mutating func visit(_ index: inout Int32) {
      guard let position = Int(exactly: index), isUsed.indices.contains(position) else {
        index = 0
        return
      }
      if isNumbered { index = places[position] } else { isUsed[position] = true }
    }

    mutating func number() {
      var next: Int32 = 0
      places = isUsed.map { used in
        defer { if used { next += 1 } }
        return used ? next : 0
      }
    }

    func kept<Entry>(_ entries: [Entry]) -> [Entry] {
      zip(entries, isUsed).filter(\.1).map(\.0)
    }

    var used: [Int] { isUsed.indices.filter { isUsed[$0] } }
  }

  private var strings: Table
  private var functions: Table
  private var mappings: Table
  private var locations: Table
  private var stacks: Table
  private var links: Table
  private var attributes: Table

  /// The request with a dictionary of only what it uses.
  static func compacted(_ request: Request) -> Request {
    var request = request
    var dictionary = request.dictionary
    var use = ProfileDictionaryUse(dictionary)
    // What is visited marks what it refers to: so users come before what they use.
    use.visit(&request)
    for index in use.stacks.used { use.visit(&dictionary.stackTable[index]) }
    for index in use.locations.used { use.visit(&dictionary.locationTable[index]) }
    for index in use.mappings.used { use.visit(&dictionary.mappingTable[index]) }
    for index in use.functions.used { use.visit(&dictionary.functionTable[index]) }
    for index in use.attributes.used { use.visit(&dictionary.attributeTable[index]) }

    use.number()
    dictionary.stackTable = use.stacks.kept(dictionary.stackTable)
    dictionary.locationTable = use.locations.kept(dictionary.locationTable)
    dictionary.mappingTable = use.mappings.kept(dictionary.mappingTable)
    dictionary.functionTable = use.functions.kept(dictionary.functionTable)
    dictionary.attributeTable = use.attributes.kept(dictionary.attributeTable)
    dictionary.linkTable = use.links.kept(dictionary.linkTable)
    dictionary.stringTable = use.strings.kept(dictionary.stringTable)

    use.visit(&request)
    for index in dictionary.stackTable.indices { use.visit(&dictionary.stackTable[index]) }
    for index in dictionary.locationTable.indices { use.visit(&dictionary.locationTable[index]) }
    for index in dictionary.mappingTable.indices { use.visit(&dictionary.mappingTable[index]) }
    for index in dictionary.functionTable.indices { use.visit(&dictionary.functionTable[index]) }
    for index in dictionary.attributeTable.indices { use.visit(&dictionary.attributeTable[index]) }
    request.dictionary = dictionary
    return request
  }

  private init(_ dictionary: Opentelemetry_Proto_Profiles_V1development_ProfilesDictionary) {
    strings = Table(count: dictionary.stringTable.count)
    functions = Table(count: dictionary.functionTable.count)
    mappings = Table(count: dictionary.mappingTable.count)
    locations = Table(count: dictionary.locationTable.count)
    stacks = Table(count: dictionary.stackTable.count)
    links = Table(count: dictionary.linkTable.count)
    attributes = Table(count: dictionary.attributeTable.count)
  }

  private mutating func number() {
    strings.number()
    functions.number()
    mappings.number()
    locations.number()
    stacks.number()
    links.number()
    attributes.number()
  }
}

// MARK: - Every reference there is

extension ProfileDictionaryUse {
  private mutating func visit(_ request: inout Request) {
    for resource in request.resourceProfiles.indices {
      visit(&request.resourceProfiles[resource].resource.attributes)
      for scope in request.resourceProfiles[resource].scopeProfiles.indices {
        visit(&request.resourceProfiles[resource].scopeProfiles[scope].scope.attributes)
        let count = request.resourceProfiles[resource].scopeProfiles[scope].profiles.count
        for index in 0..<count {
          visit(&request.resourceProfiles[resource].scopeProfiles[scope].profiles[index])
        }
      }
    }
  }

  private mutating func visit(_ profile: inout Opentelemetry_Proto_Profiles_V1development_Profile) {
    if profile.hasSampleType { visit(&profile.sampleType) }
    if profile.hasPeriodType { visit(&profile.periodType) }
    for index in profile.attributeIndices.indices {
      attributes.visit(&profile.attributeIndices[index])
    }
    for index in profile.samples.indices {
      stacks.visit(&profile.samples[index].stackIndex)
      links.visit(&profile.samples[index].linkIndex)
      for attribute in profile.samples[index].attributeIndices.indices {
        attributes.visit(&profile.samples[index].attributeIndices[attribute])
      }
    }
  }

  private mutating func visit(_ type: inout Opentelemetry_Proto_Profiles_V1development_ValueType) {
    strings.visit(&type.typeStrindex)
    strings.visit(&type.unitStrindex)
  }

  private mutating func visit(_ stack: inout Opentelemetry_Proto_Profiles_V1development_Stack) {
    for index in stack.locationIndices.indices { locations.visit(&stack.locationIndices[index]) }
  }

  private mutating func visit(
    _ location: inout Opentelemetry_Proto_Profiles_V1development_Location
  ) {
    mappings.visit(&location.mappingIndex)
    for index in location.lines.indices { functions.visit(&location.lines[index].functionIndex) }
    for index in location.attributeIndices.indices {
      attributes.visit(&location.attributeIndices[index])
    }
  }

  private mutating func visit(_ mapping: inout Opentelemetry_Proto_Profiles_V1development_Mapping) {
    strings.visit(&mapping.filenameStrindex)
    for index in mapping.attributeIndices.indices {
      attributes.visit(&mapping.attributeIndices[index])
    }
  }

  private mutating func visit(
    _ function: inout Opentelemetry_Proto_Profiles_V1development_Function
  ) {
    strings.visit(&function.nameStrindex)
    strings.visit(&function.systemNameStrindex)
    strings.visit(&function.filenameStrindex)
  }

  private mutating func visit(
    _ attribute: inout Opentelemetry_Proto_Profiles_V1development_KeyValueAndUnit
  ) {
    strings.visit(&attribute.keyStrindex)
    strings.visit(&attribute.unitStrindex)
    if attribute.hasValue { visit(&attribute.value, depth: 0) }
  }

  private mutating func visit(_ list: inout [Opentelemetry_Proto_Common_V1_KeyValue]) {
    for index in list.indices {
      strings.visit(&list[index].keyStrindex)
      if list[index].hasValue { visit(&list[index].value, depth: 0) }
    }
  }

  /// Values nest; deeper than any schema has them, they are left as they are.
  private mutating func visit(_ value: inout Opentelemetry_Proto_Common_V1_AnyValue, depth: Int) {
    guard depth < 16 else { return }
    switch value.value {
    case .stringValueStrindex(var index):
      strings.visit(&index)
      value.stringValueStrindex = index
    case .arrayValue(var list):
      for index in list.values.indices { visit(&list.values[index], depth: depth + 1) }
      value.arrayValue = list
    case .kvlistValue(var list):
      for index in list.values.indices {
        strings.visit(&list.values[index].keyStrindex)
        if list.values[index].hasValue { visit(&list.values[index].value, depth: depth + 1) }
      }
      value.kvlistValue = list
    default: break
    }
  }
}
