internal import EBPFSystem

extension KernelFeatures {
  /// The kinds of types that the kernel takes in an object's BTF.
  public var typeKinds: BTFFeatures {
    var found: BTFFeatures = []
    for (feature, key, blob) in Self.typeProbes where taken(key, blob).verdict == .yes {
      found.insert(feature)
    }
    return found
  }

  /// The same, kind by kind, with the reasons.
  var typeKindAnswers: [(name: String, answer: Answer)] {
    Self.typeProbes.map { (name: $0.key, answer: taken($0.key, $0.blob)) }
  }

  private func taken(_ key: String, _ blob: (inout BTFBuilder) -> Void) -> Answer {
    answer("type \(key)") {
      var builder = BTFBuilder()
      blob(&builder)
      var log = KernelLog.none
      do throws(Errno) {
        _ = try kernel.loadBTF(builder.build().span.rawBytes, token: token, log: &log)
        return Answer(verdict: .yes, reason: "", since: nil)
      } catch {
        return self.answer(error, since: nil, missing: "the kernel's BTF has no such kind")
      }
    }
  }

  private static let typeProbes:
    [(feature: BTFFeatures, key: String, blob: @Sendable (inout BTFBuilder) -> Void)] = [
      (.functions, "functions", { $0.addFunction(linkage: .static) }),
      (.globalFunctions, "global functions", { $0.addFunction(linkage: .global) }),
      (.dataSections, "data sections", { $0.addSection(".data") }),
      (.optionalSectionNames, "optional data sections", { $0.addSection("?.data") }),
      (.floats, "floating point", { _ = $0.add(.float, name: "float", sizeOrType: 4) }),
      (
        .declarationTags, "declaration tags",
        { builder in
          let int = builder.int("int", size: 4, encoding: 1)
          let variable = builder.variable("x", type: int, linkage: .static)
          _ = builder.declarationTag("a", on: variable)
        }
      ),
      (
        .typeTags, "type tags",
        { builder in
          let int = builder.int("int", size: 4, encoding: 1)
          let tag = builder.reference(.typeTag, to: int, name: "a")
          _ = builder.reference(.pointer, to: tag)
        }
      ),
      (
        .enumeration64, "64-bit enumerations",
        { _ = $0.enumeration("e", size: 8, wide: true, values: [("a", 1)]) }
      ),
    ]
}

extension BTFBuilder {
  fileprivate mutating func addFunction(linkage: BTFLinkage) {
    let int = int("int", size: 4, encoding: 1)
    let prototype = prototype(returning: int, parameters: [("a", int)])
    _ = function("f", prototype: prototype, linkage: linkage)
  }

  fileprivate mutating func addSection(_ name: String) {
    let int = int("int", size: 4, encoding: 1)
    let variable = variable("x", type: int, linkage: .static)
    _ = dataSection(name, size: 4, variables: [(variable, 0, 4)])
  }
}
