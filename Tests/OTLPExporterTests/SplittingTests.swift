import OTLP
import SwiftProtobuf
import Testing

@testable import OTLPExporter

@Suite struct SplittingTests {
  /// The parts of an export that have one item each.
  private func atoms(_ export: TelemetryExport) -> [TelemetryExport] {
    guard let (first, second) = export.split() else { return [export] }
    #expect(first.itemCount + second.itemCount == export.itemCount)
    #expect(first.itemCount > 0 && second.itemCount > 0)
    return atoms(first) + atoms(second)
  }

  @Test(arguments: [
    Samples.spans(0..<13), Samples.logs(0..<13), Samples.points(0..<13),
    Samples.profile(samples: 13),
  ])
  func `halves of halves are single items, none lost`(export: TelemetryExport) throws {
    let parts = atoms(export)
    #expect(parts.map(\.itemCount) == Array(repeating: 1, count: 13))
    #expect(parts.allSatisfy { $0.signal == export.signal })
    #expect(parts[0].split() == nil)
  }

  @Test func `resources stay whole as long as there are several`() throws {
    guard case .traces(var request) = Samples.spans(0..<2).message else { return }
    request.resourceSpans[0].resource.attributes = [.with { $0.key = "a" }]
    request.resourceSpans.append(request.resourceSpans[0])
    let (first, second) = try #require(TelemetryExport(.traces(request)).split())
    #expect(first.itemCount == 2)
    #expect(second.itemCount == 2)
    guard case .traces(let half) = first.message else { return }
    #expect(half.resourceSpans == [request.resourceSpans[0]])
  }

  @Test func `a metric's kind and unit are in both halves`() throws {
    let (first, second) = try #require(Samples.points(0..<3).split())
    for part in [first, second] {
      guard case .metrics(let request) = part.message else { return }
      let metric = request.resourceMetrics[0].scopeMetrics[0].metrics[0]
      #expect(metric.name == "requests")
      #expect(metric.sum.isMonotonic)
      #expect(metric.sum.aggregationTemporality == .cumulative)
    }
  }

  @Test func `half of a profile has the dictionary it needs, and no more`() throws {
    let whole = Samples.profile(samples: 8)
    let (first, second) = try #require(whole.split())
    for (part, ids) in [(first, 0..<4), (second, 4..<8)] {
      guard case .profiles(let request) = part.message else { return }
      let table = request.dictionary
      #expect(table.stackTable.count == 5)
      #expect(table.stackTable[0] == .init())
      #expect(
        Set(table.stringTable)
          == Set(["", "samples", "count", "main"] + ids.map { "function \($0)" }))
      #expect(table.stringTable[0] == "")
      let profile = request.resourceProfiles[0].scopeProfiles[0].profiles[0]
      #expect(table.stringTable[Int(profile.sampleType.typeStrindex)] == "samples")
      #expect(table.stringTable[Int(profile.sampleType.unitStrindex)] == "count")
      for (sample, id) in zip(profile.samples, ids) {
        #expect(sample.values == [Int64(id)])
        let names = table.stackTable[Int(sample.stackIndex)].locationIndices.map { location in
          let line = table.locationTable[Int(location)].lines[0]
          return table.stringTable[Int(table.functionTable[Int(line.functionIndex)].nameStrindex)]
        }
        #expect(names == ["function \(id)", "main"])
      }
    }
  }

  @Test func `halves of a large profile are half as large`() throws {
    let whole = Samples.profile(samples: 1000)
    let size = try whole.protobuf().count
    let (first, second) = try #require(whole.split())
    for part in [first, second] { #expect(try part.protobuf().count < size * 6 / 10) }
  }

  @Test func `references to what is not there become references to nothing`() throws {
    guard case .profiles(var request) = Samples.profile(samples: 2).message else { return }
    request.resourceProfiles[0].scopeProfiles[0].profiles[0].samples[0].stackIndex = 99
    request.resourceProfiles[0].scopeProfiles[0].profiles[0].samples[1].linkIndex = -1
    let (first, second) = try #require(TelemetryExport(.profiles(request)).split())
    guard case .profiles(let left) = first.message, case .profiles(let right) = second.message
    else { return }
    #expect(left.resourceProfiles[0].scopeProfiles[0].profiles[0].samples[0].stackIndex == 0)
    #expect(right.resourceProfiles[0].scopeProfiles[0].profiles[0].samples[0].linkIndex == 0)
  }

  @Test func `what was written is read back, and what is no request is an error`() throws {
    for export in [Samples.spans(0..<3), Samples.logs(0..<3), Samples.points(0..<3)] {
      let bytes = try export.protobuf()
      let again = try TelemetryExport(signal: export.signal, protobuf: bytes)
      #expect(try again.protobuf() == bytes)
      #expect(throws: OTLPError.self) {
        try TelemetryExport(signal: export.signal, protobuf: bytes.dropLast())
      }
    }
  }
}
