import OTLP
import TestSupport
import Testing

@Suite struct ProfileDictionaryTests {
  @Test func `what is equal is there once, and index 0 is nothing`() throws {
    var batch = ProfileBatch()
    #expect(batch.dictionary.string("") == 0 && batch.dictionary.stack([]) == 0)
    let main = batch.dictionary.function(name: "main", systemName: "_main", file: "main.c")
    #expect(
      main == batch.dictionary.function(name: "main", systemName: "_main", file: "main.c"))
    #expect(main != batch.dictionary.function(name: "main"))
  }

  @Test func `a request has every table whole, without orphans, and links to spans`() throws {
    var batch = ProfileBatch()
    var generator = SystemRandomNumberGenerator()
    let hash = batch.dictionary.attribute(
      Attribute("process.executable.build_id.htlhash", "00"))
    let type = batch.dictionary.attribute(Attribute("profile.frame.type", "native"))
    let mapping = batch.dictionary.mapping(
      start: 4096, end: 8192, fileOffset: 0, file: "/bin/a", attributes: [hash])
    var locations: [Int32] = []
    for name in ["leaf", "main"] {
      let function = batch.dictionary.function(name: name)
      locations.append(
        batch.dictionary.location(
          mapping: mapping, address: 5000, lines: [.init(function: function, line: 3)],
          attributes: [type]))
    }
    let stack = batch.dictionary.stack(locations)
    let link = batch.dictionary.link(
      trace: try #require(TraceID(high: 0x0102, low: 0xff)), span: try #require(SpanID(0x0a0b)))
    let pid = batch.dictionary.attribute(Attribute("process.pid", 7))
    let samples = [
      ProfileData.Sample(stack: stack, attributes: [pid], link: link, value: 5),
      ProfileData.Sample(stack: stack, attributes: [pid], value: 6),
    ]
    let count = ProfileData.ValueType("samples", unit: "count")
    batch.add(
      [
        ProfileData(
          id: .random(using: &generator), valueType: count,
          period: (ProfileData.ValueType("cpu", unit: "nanoseconds"), 100), start: 10,
          duration: 20, samples: samples)
      ], resource: Resource([Attribute("host.name", "h")]), scope: Scope(name: "s"))
    let export = try #require(batch.export())
    #expect(export.itemCount == 2)
    let rows = try OTLPDecoder.rows("profiles", try export.protobuf())
    #expect(try OTLPDecoder.rows("profiles", try export.json(), isJSON: true) == rows)
    #expect(
      rows == [
        [
          "profile", "samples", "count", "cpu", "nanoseconds", "100", "10", "20", "2", "11",
          #"{"host.name": "h"}"#,
        ],
        ["sample", "samples", "11", #"[{"process.pid": 7}, ["leaf", "main"], ["native"]]"#],
        [
          "linked", "samples", "5", "000000000000010200000000000000ff", "0000000000000a0b",
          #"[{"process.pid": 7}, ["leaf", "main"]]"#,
        ],
        [
          "mapping", "samples",
          #"{"end": 8192, "file": "/bin/a", "offset": 0, "#
            + #""process.executable.build_id.htlhash": "00", "start": 4096}"#,
        ],
      ])
  }

  @Test func `without profiles there is no request`() {
    var batch = ProfileBatch()
    batch.add([], resource: Resource(), scope: Scope(name: "s"))
    #expect(batch.export().map(\.itemCount) == nil)
  }
}
