import EBPFSystem
import OTLP
import TestSupport
import Testing

@testable import OTLPExporter

@Suite struct SpoolTests {
  private let directory: TemporaryDirectory
  private let spool: Spool

  init() throws {
    directory = try TemporaryDirectory()
    spool = try Spool(root: directory.file("spool"), signal: .logs, maximumFileSize: 1000)
  }

  private func path(_ name: String) -> String { directory.file("spool/logs/\(name)") }

  @Test func `what was written is read, also by another`() throws {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
    let entry = Spool.Entry(id: 12, itemCount: 34)
    try spool.write(entry, bytes)
    let other = try Spool(root: directory.file("spool"), signal: .logs, maximumFileSize: 1000)
    let found = try other.entries()
    #expect(found.map(\.entry) == [entry])
    #expect(found.map(\.size) == [1000])
    #expect(try other.read(entry) == bytes)
    try other.remove(entry)
    #expect(try spool.entries().isEmpty)
    // Removed twice is removed.
    try spool.remove(entry)
  }

  @Test func `the file is what its comment says`() throws {
    try spool.write(Spool.Entry(id: 1, itemCount: 2), [0xaa])
    var bytes = Array("OTLPSPL1".utf8)
    bytes += [3, 0, 0, 0]  // logs
    bytes += [2, 0, 0, 0]  // items
    bytes += [1, 0, 0, 0]  // length
    let written = try contents(ofFile: path("0000000000000001-2.otlp"))
    #expect(written.prefix(20).elementsEqual(bytes))
    #expect(written.last == 0xaa)
    // zlib's CRC-32 of all but the sum, by Python's zlib.
    let sum = try Command.output(
      ["python3", "-c", "import sys,zlib;d=sys.stdin.buffer.read();print(zlib.crc32(d))"],
      input: bytes + [0xaa])
    let stored = (0..<4).reduce(0) { $0 | Int(written[20 + $1]) << (8 * $1) }
    #expect("\(stored)\n" == sum)
  }

  @Test func `entries come in the order of their numbers`() throws {
    for id in [10, 9, 100, 1] as [UInt64] { try spool.write(Spool.Entry(id: id, itemCount: 1), []) }
    #expect(try spool.entries().map(\.entry.id) == [1, 9, 10, 100])
  }

  @Test func `every cut and every changed byte is damage`() throws {
    let entry = Spool.Entry(id: 1, itemCount: 1)
    try spool.write(entry, [1, 2, 3])
    let whole = try contents(ofFile: path(entry.name))
    for length in 0..<whole.count {
      try directory.write(Array(whole[..<length]), to: "spool/logs/\(entry.name)")
      #expect(throws: Spool.ReadError.self) { try spool.read(entry) }
    }
    for index in whole.indices {
      var bytes = whole
      bytes[index] ^= 0x40
      try directory.write(bytes, to: "spool/logs/\(entry.name)")
      guard
        case .damaged = #expect(throws: Spool.ReadError.self, performing: { try spool.read(entry) })
      else {
        Issue.record("byte \(index) is not missed")
        continue
      }
    }
    try directory.write(whole + [0], to: "spool/logs/\(entry.name)")
    #expect(throws: Spool.ReadError.self) { try spool.read(entry) }
    try directory.write([UInt8](repeating: 0, count: 2000), to: "spool/logs/\(entry.name)")
    #expect(throws: Spool.ReadError.damaged("\(entry.name) is larger than any request")) {
      try spool.read(entry)
    }
  }

  @Test func `what is not ours is left alone, what was never finished is removed`() throws {
    let foreign = [
      "notes.txt", "1-1.otlp", "0000000000000001-x.otlp", "99999999999999999999-1.otlp",
      "0000000000000001--1.otlp", "0000000000000001-01.otlp",
    ]
    for name in foreign { try directory.write("x", to: "spool/logs/\(name)") }
    try directory.write("x", to: "spool/logs/0000000000000001-1.otlp.partial")
    #expect(try spool.entries().isEmpty)
    #expect(try Set(FileSystem.entries(directory.file("spool/logs"))) == Set(foreign))
  }

  @Test func `a file that is gone is damage, not a wait`() {
    let entry = Spool.Entry(id: 1, itemCount: 1)
    #expect(throws: Spool.ReadError.damaged("0000000000000001-1.otlp is gone")) {
      try spool.read(entry)
    }
  }

  @Test func `a folder that cannot be made is an error with a remedy`() throws {
    let error = try #require(throws: ExporterError.self) {
      try Spool(root: "/proc/nowhere", signal: .logs, maximumFileSize: 1)
    }
    #expect(error.code == .file)
    #expect(error.message.hasPrefix("the spool's folder '/proc/nowhere' cannot be made: ENOENT"))
  }
}
