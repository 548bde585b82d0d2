import EBPFObject
import EBPFSystem
import Profiles
import TestSupport
import Testing

@testable import OpenTelemetryContext
@testable import PublishedContexts

/// Contexts of processes that lie.
@Suite struct HostileContextTests {
  /// Memory of a header at 0x1000 and a payload at 0x2000, and what happens when it is read.
  final class Memory: ReadableMemory {
    var header: [UInt8]
    var payload: [UInt8]
    var reads = 0
    /// Called before each read.
    var change: (Memory) -> Void = { _ in }

    init(_ payload: [UInt8], stamp: UInt64 = 1, address: UInt64 = 0x2000) {
      self.payload = payload
      header = Array("OTEL_CTX".utf8)
      for byte in 0..<4 { header.append(byte == 0 ? 2 : 0) }
      for byte in 0..<4 { header.append(UInt8(truncatingIfNeeded: payload.count >> (8 * byte))) }
      for word in [stamp, address] {
        for byte in 0..<8 { header.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * byte))) }
      }
    }

    func read(at address: UInt64, count: Int) throws(Errno) -> [UInt8] {
      reads += 1
      change(self)
      let (content, start) = address < 0x2000 ? (header, 0x1000) : (payload, UInt64(0x2000))
      guard address >= start, address - start <= content.count,
        count <= content.count - Int(address - start)
      else { throw .inputOutput }
      return Array(content[Int(address - start)..<Int(address - start) + count])
    }
  }

  private static let payload = ProcessContext.encode(
    [
      "service.name": "orders", "n": -1, "share": 0.5, "yes": true, "tags": ["a", "b"],
    ], threadAttributes: ["http.route"])

  private func error(_ memory: Memory) -> EBPFError? {
    do throws(EBPFError) {
      _ = try PublishedContextReader.read(at: 0x1000, memory)
      return nil
    } catch { return error }
  }

  @Test func `a whole one is read, with its last word for each key`() throws {
    let later = ProcessContext.encode(["service.name": "later"], threadAttributes: [])
    let twice = Self.payload + later
    let context = try PublishedContextReader.read(at: 0x1000, Memory(twice))
    #expect(context.resource.count == 5 && context.hasThreadContexts)
    #expect(context.resource.contains(.init("service.name", .string("later"))))
  }

  @Test func `each lie has its error`() {
    var memory = Memory(Self.payload)
    memory.header[0] = 0
    #expect(error(memory)?.code == .malformed)
    memory = Memory(Self.payload)
    memory.header[8] = 3
    #expect(
      error(memory)?.message
        == "the process context has version 3, and version 2 is known here")
    memory = Memory(Self.payload)
    memory.header[15] = 0xff
    #expect(error(memory)?.code == .tooLarge && memory.reads == 1)
    memory = Memory(Self.payload, address: 0x7fff_0000_0000)
    #expect(
      error(memory)?.message
        == "the payload of the process context cannot be read: \(Self.payload.count) bytes at "
        + "0x7fff00000000")
    memory = Memory(Self.payload, address: .max)
    #expect(error(memory)?.code == .malformed)
    memory = Memory([])
    #expect(error(memory) == nil)
  }

  @Test func `what changes while it is read is read again, but not for ever`() throws {
    let changing = Memory(Self.payload)
    changing.change = { $0.header[16] &+= 1 }
    #expect(error(changing)?.code == .invalidState)
    #expect(changing.reads <= 3 * PublishedContextReader.attempts)
    let updating = Memory(Self.payload, stamp: 0)
    updating.change = { if $0.reads == 4 { $0.header[16] = 9 } }
    #expect(try PublishedContextReader.read(at: 0x1000, updating).stamp == 9)
    // The payload goes while it is read, and another is published.
    let moving = Memory(Self.payload, address: 0x9000_0000)
    moving.change = {
      guard $0.reads == 3 else { return }
      $0.header = Memory(Self.payload, stamp: 2).header
    }
    #expect(try PublishedContextReader.read(at: 0x1000, moving).stamp == 2)
  }

  @Test(arguments: 0..<UInt64(64))
  func `damaged payloads give a context or an error`(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    for _ in 0..<500 {
      var payload = Self.payload
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        payload[Int.random(in: payload.indices, using: &random)] = .random(
          in: 0...255, using: &random)
      }
      if Bool.random(using: &random) {
        payload.removeLast(Int.random(in: 0...payload.count, using: &random))
      }
      do throws(EBPFError) {
        let context = try PublishedContext(decoding: payload)
        #expect(context.resource.count <= PublishedContext.attributeLimit)
      } catch { #expect(error.code == .malformed) }
    }
  }

  @Test(arguments: 0..<payload.count)
  func `a payload cut short gives a context or an error`(length: Int) {
    do throws(EBPFError) {
      _ = try PublishedContext(decoding: Array(Self.payload.prefix(length)))
    } catch { #expect(error.code == .malformed) }
  }

  @Test func `damaged headers give a context or an error`() {
    var random = SeededRandom(seed: 7)
    for _ in 0..<20_000 {
      let memory = Memory(Self.payload)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        memory.header[Int.random(in: 0..<32, using: &random)] = .random(in: 0...255, using: &random)
      }
      if let error = error(memory) {
        #expect(
          [.malformed, .tooLarge, .unsupported, .invalidState].contains(error.code), "\(error)")
      }
    }
  }

  @Test func `more attributes than anybody has are passed over`() throws {
    var many: [String: ProcessContext.Value] = [:]
    for index in 0..<1000 { many["a\(index)"] = .integer(Int64(index)) }
    let context = try PublishedContext(
      decoding: ProcessContext.encode(many, threadAttributes: []))
    #expect(context.resource.count == PublishedContext.attributeLimit)
  }

  @Test func `only mappings of the three names are looked at`() throws {
    let text = """
      1000-2000 rw-p 00000000 00:01 5                          /memfd:OTEL_CTX (deleted)
      3000-4000 rw-p 00000000 00:00 0                          [anon:OTEL_CTX]
      5000-6000 rw-p 00000000 00:01 5                          [anon_shmem:OTEL_CTX]
      7000-8000 rw-p 00000000 08:01 5                          /tmp/OTEL_CTX
      9000-a000 rw-p 00000000 00:00 0                          [anon:OTEL_CTX_2]

      """
    let maps = try ProcessMaps(parsing: Array(text.utf8), executableOnly: false)
    #expect(PublishedContextReader.candidates(maps).map(\.start) == [0x1000, 0x3000, 0x5000])
    #expect(PublishedContextReader.mentionsContext(Array(text.utf8)))
    #expect(!PublishedContextReader.mentionsContext(Array("OTEL_CT OOTEL_C".utf8)))
  }
}
