internal import OTLP
internal import Profiles

extension Resource {
  /// Without what it says of a service and of what makes its telemetry: for processes that say it of
  /// themselves.
  var withoutService: Resource {
    var others = self
    for attribute in attributes
    where attribute.key.hasPrefix("service.") || attribute.key.hasPrefix("telemetry.") {
      others[attribute.key] = nil
    }
    return others
  }
}

extension AttributeList {
  /// What a process says of itself.
  mutating func add(_ own: [Profile.Attribute]) {
    for attribute in own {
      switch attribute.value {
      case .string(let text): add(attribute.key, text)
      case .boolean(let flag): add(attribute.key, flag)
      case .integer(let number): add(attribute.key, number)
      case .double(let number): add(attribute.key, number)
      case .strings(let texts): add(attribute.key, texts)
      }
    }
  }
}
