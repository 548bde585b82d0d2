internal import OTLPMessages

/// Who telemetry comes from: a host, a process, a container, a service.
public struct Resource: Sendable, Hashable {
  /// What is known about it, each key once, in order of their addition.
  public private(set) var attributes: [Attribute] = []
  /// The conventions that the attributes follow; empty when nobody knows.
  public var schemaURL: String

  /// Creates a resource; of attributes with the same key the last counts.
  public init(_ attributes: [Attribute] = [], schemaURL: String = "") {
    self.schemaURL = schemaURL
    for attribute in attributes { self[attribute.key] = attribute.value }
  }

  /// What it says under a key; nil for nothing.
  public subscript(key: String) -> AttributeValue? {
    get { attributes.first { $0.key == key }?.value }
    set {
      let known = attributes.firstIndex { $0.key == key }
      switch (known, newValue) {
      case (let index?, let value?): attributes[index].value = value
      case (let index?, nil): attributes.remove(at: index)
      case (nil, let value?): attributes.append(Attribute(key, value))
      case (nil, nil): break
      }
    }
  }

  /// Both together; where both say something the other counts.
  public func merging(_ other: [Attribute]) -> Resource {
    var merged = self
    for attribute in other { merged[attribute.key] = attribute.value }
    return merged
  }

  var message: Opentelemetry_Proto_Resource_V1_Resource {
    var message = Opentelemetry_Proto_Resource_V1_Resource()
    message.attributes = attributes.map(\.message)
    return message
  }
}

/// What made telemetry: a library or a part of one.
public struct Scope: Sendable, Hashable {
  /// Its name.
  public var name: String
  /// Its version.
  public var version: String
  /// The conventions that its telemetry follows; empty when nobody knows.
  public var schemaURL: String

  /// Creates a scope.
  public init(name: String, version: String = "", schemaURL: String = "") {
    self.name = name
    self.version = version
    self.schemaURL = schemaURL
  }

  var message: Opentelemetry_Proto_Common_V1_InstrumentationScope {
    var message = Opentelemetry_Proto_Common_V1_InstrumentationScope()
    message.name = name
    message.version = version
    return message
  }
}
