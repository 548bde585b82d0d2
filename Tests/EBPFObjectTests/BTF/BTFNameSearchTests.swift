import TestSupport
import Testing

@testable import EBPFObject

/// A pass over all types, against the index that other look-ups use.
@Suite struct BTFNameSearchTests {
  private static func found(_ names: [String], in bytes: [UInt8]) throws -> [[UInt32]] {
    // A blob that was never asked for a name has no index.
    let searched = try BTF(parsing: Bytes(bytes)).candidates(essentialNames: names)
    let indexed = try BTF(parsing: Bytes(bytes))
    for (name, types) in zip(names, searched) {
      #expect(try indexed.candidates(essentialName: name) == types, "\(name)")
    }
    return searched.map { $0.map(\.id) }
  }

  @Test func `names of every length are found, with and without a flavour`() throws {
    var builder = BTFBuilder()
    let int = builder.int("int", size: 4)
    func structure(_ name: String) -> UInt32 { builder.structure(name, size: 0, members: []) }
    let a = structure("a")
    let aOld = structure("a___old")
    let ab = structure("ab")
    _ = structure("abc")
    let eight = structure("exactly8")
    let eightOld = structure("exactly8___v2")
    let nine = structure("exactly89")
    _ = builder.reference(.pointer, to: int)
    // The last string of the blob: less than eight bytes follow its first.
    let last = builder.reference(.typedef, to: int, name: "z")
    let found = try Self.found(
      ["a", "ab", "exactly8", "exactly89", "z", "int", "none", "", "a___new"], in: builder.build())
    #expect(
      found == [[a, aOld], [ab], [eight, eightOld], [nine], [last], [int], [], [], [a, aOld]])
  }

  @Test func `the kernel's types are those of the index`() throws {
    let bytes = try contents(ofFile: "/sys/kernel/btf/vmlinux")
    let names = ["task_struct", "sk_buff", "u8", "file", "pid_t", "bpf_map_type", "no_such_type"]
    let found = try Self.found(names, in: bytes)
    #expect(!found[0].isEmpty && !found[2].isEmpty && found[6].isEmpty)
  }

  @Test func `more names than are worth a pass are found by the index`() throws {
    let bytes = try contents(ofFile: "/sys/kernel/btf/vmlinux")
    let names = (0...BTFNameSearch.limit).map { $0 == 7 ? "task_struct" : "no_such_\($0)" }
    let found = try Self.found(names, in: bytes)
    #expect(found.count == names.count && !found[7].isEmpty)
  }

  @Test func `several names with their kinds are found as one by one`() throws {
    let bytes = try contents(ofFile: "/sys/kernel/btf/vmlinux")
    let wanted: [(name: String, kind: BTFKind)] = [
      ("btf_trace_sys_enter", .typedef), ("bpf_iter_task", .function), ("task_struct", .structure),
      ("task_struct", .function), ("btf_trace_sys", .typedef), ("task_struct___old", .structure),
    ]
    let found = try BTF(parsing: Bytes(bytes)).firstIDs(of: wanted)
    let indexed = try BTF(parsing: Bytes(bytes))
    #expect(found == (try wanted.map { try indexed.firstID(named: $0.name, kind: $0.kind) }))
    #expect(found.map { $0 != nil } == [true, true, true, false, false, false])
  }
}
