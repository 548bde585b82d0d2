import Compression
import Profiles
import Testing

@testable import ProfileFormats

@Suite struct PprofTests {
  @Test func `another decoder finds every fact`() throws {
    var sketch = ProfileSketch()
    let main = sketch.frame("main", address: 0x40_1000, file: "main.swift", line: 3)
    let again = sketch.frame("main", address: 0x40_1010, file: "main.swift", line: 4)
    let unknown = sketch.frame(nil, module: "/lib/libc.so.6", address: 0x140_0010)
    let idle = sketch.frame(
      "do_idle", kind: .kernel, module: "[kernel]", address: 0xffff_ffff_8100_0000)
    let marker = sketch.frame("[truncated]", kind: .marker, module: nil)
    sketch.profile.frames[main].systemName = "$s4main"
    sketch.add([main, unknown], count: 2, pid: 7, tid: 8)
    sketch.add([again], count: 3, pid: 7)
    sketch.add([idle], count: 4, command: "swapper", pid: 0)
    sketch.add([marker], count: 1)
    var options = ProfileOptions()
    options.recording.host = "server-1"
    options.recording.frequency = 99
    options.recording.dropped = 5
    let lines = try Oracle.pprof(ProfileFormat.pprof.encode(sketch.profile, options: options))

    #expect(
      lines[0] == #"""
        {"types": [["samples", "count"], ["cpu", "nanoseconds"]], \#
        "period": ["cpu", "nanoseconds", 10101010], "time": 1700000000000000000, \#
        "duration": 10000000000, "default": "cpu", \#
        "comments": ["host: server-1", "rate: 99 Hz", "dropped: 5"], \#
        "mappings": [["0x400000", "0xc00000", "0x1000", "/usr/bin/app", "ab12", true, true, true], \#
        ["0x1400000", "0x1c00000", "0x1000", "/lib/libc.so.6", "ab12", false, false, false], \#
        ["0x2400000", "0x2c00000", "0x1000", "[kernel]", "ab12", true, false, false]], \#
        "functions": [["main", "$s4main", "main.swift"], ["main", "main", "main.swift"], \#
        ["do_idle", "do_idle", ""], ["[truncated]", "[truncated]", ""]], \#
        "lines": [[4198400, [3]], [4198416, [4]], [20971536, []], \#
        [18446744071578845184, [0]], [0, [0]]]}
        """#)
    #expect(
      lines.dropFirst() == [
        #"[{"pid": 0, "tid": 0, "comm": "swapper"}, ["do_idle"]] [4, 40404040]"#,
        #"[{"pid": 42, "tid": 42, "comm": "app"}, ["[truncated]"]] [1, 10101010]"#,
        #"[{"pid": 7, "tid": 7, "comm": "app"}, ["main"]] [3, 30303030]"#,
        #"[{"pid": 7, "tid": 8, "comm": "app"}, ["0x1400010", "main"]] [2, 20202020]"#,
      ])
  }

  @Test func `the sums of a large profile arrive`() throws {
    let profile = SyntheticProfile.server(stacks: 3_000).profile
    let lines = try Oracle.pprof(ProfileFormat.pprof.encode(profile))
    let sums = lines.dropFirst().map { line -> Int64 in
      let values = line[(line.lastIndex(of: "[") ?? line.startIndex)...].dropFirst()
      return Int64(values.prefix { $0 != "," }) ?? 0
    }
    #expect(sums.reduce(0, +) == profile.samples.reduce(0) { $0 + $1.values[0] })
  }

  @Test func `hostile names and an empty profile are readable`() throws {
    let lines = try Oracle.pprof(ProfileFormat.pprof.encode(.hostile()))
    #expect(lines.count == 1 + Profile.hostileNames.count)
    #expect(lines.contains { $0.contains("emoji 🔥 and 漢字") })
    let empty = try Oracle.pprof(ProfileFormat.pprof.encode(ProfileSketch().profile))
    #expect(empty.count == 1)
  }

  @Test func `gzip files are read by gzip`() throws {
    var random = FixedRandom(seed: 1)
    for count in [0, 1, 70_000] {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      let sum = bytes.reduce(0) { $0 + Int($1) }
      let printed = try Oracle.read(Gzip.compress(bytes), with: "sum_gzip.py")
      #expect(printed == "\(count) \(sum)\n")
    }
  }
}

@Suite struct SpeedscopeTests {
  private func lines(_ profile: Profile, _ options: ProfileOptions = ProfileOptions()) throws
    -> [String]
  {
    let bytes = try ProfileFormat.speedscope.encode(profile, options: options)
    return try Oracle.read(bytes, with: "check_speedscope.py").split(separator: "\n").map(
      String.init)
  }

  @Test func `each process is a profile, the busiest first`() throws {
    var sketch = ProfileSketch()
    sketch.add(names: ["main", "a"], count: 1, command: "one", pid: 1)
    sketch.add(names: ["main", "b"], count: 2, command: "two", pid: 2)
    sketch.add(names: ["main"], count: 1, command: "two", pid: 2)
    #expect(
      try lines(sketch.profile) == [
        "two (2)|nanoseconds|main|10101010", "two (2)|nanoseconds|main;b|20202020",
        "one (1)|nanoseconds|main;a|10101010",
      ])
    var options = ProfileOptions()
    options.grouping = .merged
    options.valueType = 0
    options.title = "all of it"
    #expect(
      try lines(sketch.profile, options) == [
        "all of it|none|main|1", "all of it|none|main;b|2", "all of it|none|main;a|1",
      ])
  }

  @Test func `a server's profile, hostile names and nothing at all are valid`() throws {
    let profile = SyntheticProfile.server().profile
    let weights = try lines(profile).compactMap {
      $0.split(separator: "|").last.flatMap { Int64($0) }
    }
    #expect(weights.reduce(0, +) == profile.samples.reduce(0) { $0 + $1.values[1] })
    #expect(try !lines(.hostile()).isEmpty)
    #expect(try lines(ProfileSketch().profile).isEmpty)
  }
}
