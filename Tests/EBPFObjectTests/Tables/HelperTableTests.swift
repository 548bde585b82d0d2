import EBPFObject
import TestSupport
import Testing

@Suite struct HelperTableTests {
  @Test func `names and numbers are those that bpftool lists`() throws {
    let names = try Command.output(["bpftool", "feature", "list_builtins", "helpers"])
      .split(separator: "\n")
    #expect(names.count > 200)
    #expect(names.first == "bpf_unspec")
    for (index, name) in names.enumerated().dropFirst() {
      let id = Int32(index)
      #expect(HelperTable.name(of: id).map { "bpf_" + $0 } == String(name))
      #expect(HelperTable.id(named: String(name)) == id)
    }
  }

  @Test func `the committed names are what the script makes of this machine's header`() throws {
    let root = Fixtures.directory.split(separator: "/", omittingEmptySubsequences: false)
      .dropLast(2).joined(separator: "/")
    let check = try Command.run([root + "/scripts/generate-helpers.sh", "--check"])
    #expect(check.status == 0, "\(check.error)\(check.output)")
  }

  @Test(arguments: [
    ("map_lookup_elem", KernelVersion(3, 19)), ("probe_read", KernelVersion(4, 1)),
    ("get_current_comm", KernelVersion(4, 2)), ("perf_event_output", KernelVersion(4, 4)),
    ("get_stackid", KernelVersion(4, 6)), ("get_current_task", KernelVersion(4, 8)),
    ("get_current_cgroup_id", KernelVersion(4, 18)), ("spin_lock", KernelVersion(5, 1)),
    ("send_signal", KernelVersion(5, 3)), ("tcp_gen_syncookie", KernelVersion(5, 4)),
    ("probe_read_kernel_str", KernelVersion(5, 5)), ("sk_assign", KernelVersion(5, 7)),
    ("ringbuf_output", KernelVersion(5, 8)), ("d_path", KernelVersion(5, 10)),
    ("for_each_map_elem", KernelVersion(5, 13)), ("get_attach_cookie", KernelVersion(5, 15)),
    ("loop", KernelVersion(5, 17)), ("dynptr_read", KernelVersion(5, 19)),
    ("user_ringbuf_drain", KernelVersion(6, 1)), ("cgrp_storage_delete", KernelVersion(6, 2)),
  ])
  func `each helper has the release it appeared in`(name: String, version: KernelVersion) throws {
    let id = try #require(HelperTable.id(named: name))
    #expect(HelperTable.firstKernel(of: id) == version)
  }

  @Test(arguments: [Int32.min, -1, 0, 212, .max])
  func `a number that no kernel has is nil`(id: Int32) {
    #expect(HelperTable.name(of: id) == nil)
    #expect(HelperTable.firstKernel(of: id) == nil)
  }

  @Test func `a release never comes before the one of a lower number`() throws {
    var last = KernelVersion(0, 0)
    for id in HelperTable.ids {
      let version = try #require(HelperTable.firstKernel(of: id))
      #expect(version >= last)
      last = version
    }
    #expect(HelperTable.ids == 1...211)
  }
}
