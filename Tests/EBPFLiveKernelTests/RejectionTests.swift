import EBPF
import EBPFSystem
import Synchronization
import TestSupport
import Testing

/// Capability 1: what is refused, by the size limit or by the verifier, and what then remains.
@Suite struct RejectionTests {
  /// Counts what the kernel is asked, and refuses it.
  private final class CountingKernel: UnimplementedKernel {
    private let count = Atomic<Int>(0)
    var requests: Int { count.load(ordering: .acquiring) }

    private func refuse() throws(Errno) -> Never {
      count.add(1, ordering: .acquiringAndReleasing)
      throw .notPermitted
    }
    func createMap(_ request: MapRequest) throws(Errno) -> OwnedDescriptor { try refuse() }
    func loadBTF(
      _ bytes: RawSpan, token: Int32?, log: inout KernelLog
    ) throws(Errno) -> OwnedDescriptor { try refuse() }
    func loadProgram(
      _ request: ProgramRequest, instructions: [Instruction], log: inout KernelLog
    ) throws(Errno) -> OwnedDescriptor { try refuse() }
  }

  @Test func `a file of 1,000,001 bytes is refused before the kernel is asked anything`() throws {
    let kernel = CountingKernel()
    func load(size: Int, limit: Int = ObjectFile.standardSizeLimit) throws {
      let object = try contents(ofFile: Fixtures.path("count_raw_tp.bpf.o"))
      let bytes = Bytes(object + [UInt8](repeating: 0, count: size - object.count))
      _ = try LoadedObject(ObjectFile(parsing: bytes, sizeLimit: limit), kernel: kernel)
    }
    let error = #expect(throws: EBPFError.self) { try load(size: 1_000_001) }
    #expect(error?.code == .tooLarge)
    #expect(kernel.requests == 0)
    // One byte less, or a higher limit: the kernel is asked.
    let within = #expect(throws: EBPFError.self) { try load(size: 1_000_000) }
    #expect(within?.code == .denied)
    #expect(kernel.requests > 0)
    let before = kernel.requests
    let raised = #expect(throws: EBPFError.self) { try load(size: 1_000_001, limit: 2_000_000) }
    #expect(raised?.code == .denied)
    #expect(kernel.requests > before)
  }

  static let reasons = [
    ("out_of_bounds", "unbounded min value"),
    ("no_null_check", "map_value_or_null"),
    ("endless", "loop"),
    ("never_submitted", "Unreleased reference"),
  ]

  @Test(arguments: reasons)
  func `Capability 1: each rejected program has its errno, the telling line, and leaves no map`(
    name: String, reason: String
  ) throws {
    var options = LoadOptions()
    options.programs = [name]
    // A size that no other test gives a map of this name.
    let size = 4_000 + UInt32(try #require(Self.reasons.firstIndex { $0.0 == name }))
    options.maxEntries = ["numbers": size]
    let error = try #require(throws: EBPFError.self) {
      _ = try LoadedObject(LoadedObjectTests.object("rejected.bpf.o"), options: options)
    }
    #expect(error.code == .rejected)
    #expect(error.context.contains(.program(name)))
    let failure = try #require(error.systemCall)
    #expect(failure.call == "bpf(BPF_PROG_LOAD)")
    #expect(failure.name == "EACCES" || failure.name == "EINVAL")
    #expect(error.message.contains(reason), "\(error.message)")
    #expect(error.verifierLog?.contains("processed ") == true)
    try Kernel.eventually { try !Self.hasMap(name: "numbers", size: size) }
  }

  @Test func `such a map is seen while it is there`() throws {
    var options = LoadOptions()
    options.programs = []
    options.maxEntries = ["numbers": 5_000]
    let object = try LoadedObject(LoadedObjectTests.object("rejected.bpf.o"), options: options)
    #expect(try Self.hasMap(name: "numbers", size: 5_000))
    object.unload()
    try Kernel.eventually { try !Self.hasMap(name: "numbers", size: 5_000) }
  }

  private static func hasMap(name: String, size: UInt32) throws -> Bool {
    let kernel = LiveKernel()
    var id: UInt32 = 0
    while let next = try kernel.nextID(.map, after: id) {
      id = next
      do throws(Errno) {
        let descriptor = try kernel.open(.map, id: id, flags: 0)
        let map = try kernel.mapInformation(descriptor.rawValue)
        if map.name == name, map.maxEntries == size { return true }
      } catch {
        // It has gone meanwhile.
        guard error == .noEntry else { throw error }
      }
    }
    return false
  }
}
