import EBPFSystem
import Testing

@testable import EBPF

@Suite struct PossibleCPUsTests {
  @Test func `a per-CPU element has as many values as sysfs lists CPUs`() throws {
    let listed = try CPUSet.possible().cpus
    #expect(try PossibleCPUs.tried(LiveKernel()) == listed.count)
    let found = try PossibleCPUs(LiveKernel())
    #expect(found.count == listed.count)
    #expect(found.end == (listed.last ?? -1) + 1)
  }
}
