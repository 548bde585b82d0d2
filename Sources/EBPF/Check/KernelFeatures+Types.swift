internal import EBPFSystem

extension KernelFeatures {
  /// The kinds of types that the kernel takes in an object's BTF.
  public var typeKinds: BTFFeatures {
    var found: BTFFeatures = []
    for (feature, key, blob) in Self.typeProbes where takes(key, blob) { found.insert(feature) }
    return found
  }

  private func takes(_ key: String, _ blob: (inout BTFBuilder) -> Void) -> Bool {
    let answer = answer("type \(key)") {
      var builder = BTFBuilder()
      blob(&builder)
      var log = KernelLog.none
      do throws(Errno) {
        _ = try kernel.loadBTF(builder.build().span.rawBytes, token: nil, log: &log)
        return Answer(verdict: .yes, reason: "", since: nil)
      } catch { return self.answer(error, since: nil, missing: "the kernel does not take \(key)") }
    }
    return answer.verdict == .yes
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
