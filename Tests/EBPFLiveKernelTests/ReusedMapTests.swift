import EBPF
import EBPFObject
import EBPFSystem
import EBPFTracers
import Glibc
import TestSupport
import Testing

/// Objects that are loaded with maps that are there already.
@Suite(.serialized) struct ReusedMapTests {
  private func list(
    name: String = "pid_filter", capacity: UInt32, valueSize: UInt32 = 4
  ) throws -> RawMap {
    var spec = MapSpec(name: name, type: .hash)
    spec.keySize = 4
    spec.valueSize = valueSize
    spec.maxEntries = capacity
    return try RawMap.create(spec)
  }

  private func load(_ map: RawMap, as name: String = "pid_filter") throws -> LoadedObject {
    var options = LoadOptions()
    options.maps[name] = map
    return try LoadedObject(
      try ObjectFile(parsing: EmbeddedObject.processFollowing, name: "process_following"),
      options: options)
  }

  @Test func `a map that is given takes the place of the object's`() throws {
    let given = try list(name: "other", capacity: 3)
    let object = try load(given)
    let map = try object.map("pid_filter")
    #expect(map.id == given.id && map.information.maxEntries == 3)
    let ids = try object.program("follow_fork").information(.maps).mapIDs
    #expect(ids.contains(given.id))
    // It outlives the object.
    object.unload()
    #expect(try Command.run(["bpftool", "map", "show", "id", "\(given.id)"]).status == 0)
  }

  @Test func `another kind of map is refused, and one that the object does not have`() throws {
    let wide = try #require(throws: EBPFError.self) {
      _ = try load(try list(capacity: 3, valueSize: 8))
    }
    #expect(wide.message == "the map given in its place is another: value size 8, not 4")
    #expect(wide.context.contains(.map("pid_filter")))
    let unknown = try #require(throws: EBPFError.self) {
      _ = try load(try list(capacity: 3), as: "pid_filters")
    }
    #expect(unknown.message == "the object has no map 'pid_filters' to replace")
    #expect(unknown.hint?.contains("pid_filter") == true)
  }

  @Test func `a process that finds the list of followed ones full is counted`() throws {
    let workload = try StoppedProcess.workload("rounds")
    let raw = try list(capacity: 2)
    let object = try load(raw)
    let followed = try Map<UInt32, UInt32>(raw)
    // Process 2 is the kernel's: nobody's child, and no parent of any here.
    try followed.update(2, 1)
    try followed.update(UInt32(getpid()), 3)
    let links = Links()
    for name in ["follow_fork", "follow_exit"] {
      try links.insert(try object.program(name).attachBySection(), as: name)
    }
    let lost = try Map<UInt32, UInt64>(try object.map("follow_lost"))
    #expect(try Command.run(["/bin/true"]).status == 0)
    #expect(try lost.value(for: 0) == 1)
    // Now there is room for one: it is listed, and no more when it has ended.
    #expect(try followed.delete(2))
    let child = try StoppedProcess([workload, "1", "1"])
    #expect(try followed.value(for: UInt32(child.id)) == 3)
    try child.finish()
    #expect(try followed.value(for: UInt32(child.id)) == nil)
    #expect(try lost.value(for: 0) == 1)
    links.detachAll()
  }
}
