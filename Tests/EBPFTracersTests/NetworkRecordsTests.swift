import EBPFObject
import Testing

@testable import EBPFTracers

/// The Swift mirrors of bpf-objects/bpf/network_events.h against the object's own types.
@Suite struct NetworkRecordsTests {
  @Test(arguments: [
    ("network_control", MemoryLayout<NetworkControl>.stride),
    ("network_tuple", MemoryLayout<NetworkTuple>.stride),
    ("network_owner", MemoryLayout<NetworkOwnerRecord>.stride),
    ("network_figures", MemoryLayout<NetworkFigures>.stride),
    ("network_connection", MemoryLayout<NetworkConnectionRecord>.stride),
    ("network_health", MemoryLayout<NetworkHealthRecord>.stride),
    ("network_record", MemoryLayout<NetworkRecord>.stride),
    ("network_socket", MemoryLayout<NetworkSocketRecord>.stride),
    ("network_drop_key", MemoryLayout<NetworkDropKey>.stride),
    ("network_drops", MemoryLayout<NetworkDropCounts>.stride),
    ("network_counters", MemoryLayout<NetworkCounters>.stride),
  ])
  func `a structure has the size that C gives it`(name: String, size: Int) throws {
    let types = try btf()
    let id = try #require(try types.firstID(named: name, kind: .structure))
    #expect(try types.size(of: id) == UInt64(size))
  }

  @Test(arguments: [
    ("network_connection", "role", MemoryLayout<NetworkConnectionRecord>.offset(of: \.role)),
    ("network_connection", "at_pause", MemoryLayout<NetworkConnectionRecord>.offset(of: \.atPause)),
    (
      "network_connection", "resets_received",
      MemoryLayout<NetworkConnectionRecord>.offset(of: \.resetsReceived)
    ),
    ("network_connection", "span", MemoryLayout<NetworkConnectionRecord>.offset(of: \.span)),
    ("network_record", "connection", MemoryLayout<NetworkRecord>.offset(of: \.connection)),
    ("network_record", "now", MemoryLayout<NetworkRecord>.offset(of: \.now)),
    ("network_record", "health", MemoryLayout<NetworkRecord>.offset(of: \.health)),
    ("network_health", "chrono_type", MemoryLayout<NetworkHealthRecord>.offset(of: \.chronoType)),
    (
      "network_health", "srtt_us_x8",
      MemoryLayout<NetworkHealthRecord>.offset(of: \.smoothedRoundTripTimes8)
    ),
    ("network_health", "algorithm", MemoryLayout<NetworkHealthRecord>.offset(of: \.algorithm)),
    ("network_tuple", "remote_port", MemoryLayout<NetworkTuple>.offset(of: \.remotePort)),
    ("network_tuple", "netns", MemoryLayout<NetworkTuple>.offset(of: \.networkNamespace)),
    ("network_counters", "udp_full", MemoryLayout<NetworkCounters>.offset(of: \.udpFull)),
    ("network_counters", "extra_lost", MemoryLayout<NetworkCounters>.offset(of: \.extraLost)),
    (
      "network_counters", "drop_sampled_out",
      MemoryLayout<NetworkCounters>.offset(of: \.dropSampledOut)
    ),
    (
      "network_counters", "spans_unreadable",
      MemoryLayout<NetworkCounters>.offset(of: \.spansUnreadable)
    ),
  ])
  func `a field is where C puts it`(structure: String, field: String, offset: Int?) throws {
    let types = try btf()
    let id = try #require(try types.firstID(named: structure, kind: .structure))
    let type = try types.type(id)
    var found: Int?
    for member in try types.members(of: type)
    where try types.string(at: member.nameOffset) == field {
      found = Int(member.bitOffset / 8)
    }
    #expect(found == offset)
  }

  @Test func `a DNS message begins where C asserts that it does`() {
    #expect(MemoryLayout<NetworkPacketHeader>.stride == 128)
    #expect(MemoryLayout<NetworkPacketHeader>.offset(of: \.captured) == 124)
  }

  @Test func `every counter is summed`() {
    var one = NetworkCounters()
    withUnsafeMutableBytes(of: &one) { bytes in
      for index in 0..<(bytes.count / 8) {
        bytes.storeBytes(of: UInt64(index + 1), toByteOffset: index * 8, as: UInt64.self)
      }
    }
    let sum = NetworkCounters(summing: [one, one])
    withUnsafeBytes(of: sum) { bytes in
      // The first is the time of the first event: the earliest one.
      #expect(bytes.loadUnaligned(as: UInt64.self) == 1)
      for index in 1..<(bytes.count / 8) {
        let value = bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
        #expect(value == 2 * UInt64(index + 1), "counter \(index)")
      }
    }
  }

  private func btf() throws -> BTF {
    let object = try ObjectFile(parsing: EmbeddedObject.networkTracer, name: "network_tracer")
    return try #require(object.btf)
  }
}
