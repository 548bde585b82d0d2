import Profiles
import Testing

@testable import ProfileFormats

@Suite struct FoldedStacksTests {
  private func folded(
    _ profile: Profile, options: ProfileOptions = ProfileOptions()
  ) throws -> String {
    String(decoding: try ProfileFormat.folded.encode(profile, options: options), as: UTF8.self)
  }

  @Test func `a small profile gives the lines one would write by hand`() throws {
    var sketch = ProfileSketch()
    let main = sketch.frame("main")
    let read = sketch.frame("read", module: "/usr/lib/libc.so.6")
    let vfs = sketch.frame("vfs_read", kind: .kernel, module: "[kernel]")
    let js = sketch.frame("LazyCompile:~render", kind: .jit, module: "/tmp/perf-7.map")
    sketch.add([main, read, vfs], count: 7)
    sketch.add([main, read], count: 2)
    sketch.add([main, js], count: 1, command: "node js", pid: 7)
    sketch.add([main, read, vfs], count: 3, pid: 43)
    #expect(
      try folded(sketch.profile) == """
        app;main;read 2
        app;main;read;vfs_read_[k] 10
        node js;main;LazyCompile:~render_[j] 1

        """)
    var options = ProfileOptions()
    options.marksKinds = false
    options.grouping = .merged
    options.valueType = 1
    #expect(
      try folded(sketch.profile, options: options) == """
        main;LazyCompile:~render 10101010
        main;read 20202020
        main;read;vfs_read 101010100

        """)
  }

  @Test func `separators inside of names cannot forge stacks`() throws {
    var sketch = ProfileSketch()
    sketch.add(names: ["a;b", "c\nd 99", "e\u{2028}\u{0}f"], command: "x;\ry")
    #expect(try folded(sketch.profile) == "x: y;a:b;c d 99;e  f 1\n")
  }

  @Test func `names that become equal are one line`() throws {
    var sketch = ProfileSketch()
    sketch.add([sketch.frame("f", module: "/lib/a.so")], count: 1)
    sketch.add([sketch.frame("f", module: "/lib/b.so")], count: 2)
    #expect(try folded(sketch.profile) == "app;f 3\n")
  }

  @Test func `no samples, no lines`() throws {
    #expect(try folded(ProfileSketch().profile) == "")
  }
}

@Suite struct HottestFunctionsTests {
  @Test func `rows are ordered by self time and aligned as text`() throws {
    var sketch = ProfileSketch()
    let main = sketch.frame("main")
    let copy = sketch.frame("memcpy\u{1B}[31m", module: "/usr/lib/libc.so.6")
    sketch.add([main, copy], count: 15)
    sketch.add([main], count: 4)
    sketch.add([sketch.frame("do_idle", kind: .kernel, module: "[kernel]")], count: 1)
    let table = try HottestFunctions(sketch.profile, limit: 2)
    #expect(table.rows.map(\.own) == [15, 4])
    #expect(table.rows.map(\.totalShare) == [0.75, 0.95])
    #expect(table.omitted == 1)
    #expect(
      table.text() == """
          SELF   TOTAL  SAMPLES  MODULE     FUNCTION
        75.0 %  75.0 %       15  libc.so.6  memcpy [31m
        20.0 %  95.0 %        4  app        main
        … and 1 more functions

        """)
  }

  @Test func `long names are cut to the width`() throws {
    var sketch = ProfileSketch()
    sketch.add(names: [String(repeating: "x", count: 300)])
    let lines = try HottestFunctions(sketch.profile).text(width: 80).split(separator: "\n")
    #expect(lines.map(\.count).max() == 80)
    #expect(lines[1].hasSuffix("x…"))
  }

  @Test func `an empty profile has no rows`() throws {
    let table = try HottestFunctions(ProfileSketch().profile)
    #expect(table.rows.isEmpty)
    #expect(table.whole == 0)
  }
}

@Suite struct ProfileFormatTests {
  @Test func `a path's ending chooses the format`() {
    #expect(ProfileFormat(path: "/tmp/a.b/out.pb.gz") == .pprof)
    #expect(ProfileFormat(path: "x.speedscope.json") == .speedscope)
    #expect(ProfileFormat(path: "X.FOLDED") == .folded)
    #expect(ProfileFormat(path: "profile.json") == nil)
    #expect(ProfileFormat(path: "folded") == nil)
    #expect(ProfileFormat(name: "pprof") == .pprof)
    #expect(ProfileFormat(name: "gif") == nil)
  }

  @Test(arguments: ProfileFormat.allCases)
  func `the same profile gives the same bytes`(format: ProfileFormat) throws {
    let profile = SyntheticProfile.server(stacks: 100).profile
    #expect(try format.encode(profile) == format.encode(profile))
  }

  @Test(arguments: ProfileFormat.allCases)
  func `a value type that is not there is an error with the names of those that are`(
    format: ProfileFormat
  ) throws {
    var options = ProfileOptions()
    options.valueType = 2
    let error = try #require(throws: ProfileFormatError.self) {
      try format.encode(ProfileSketch().profile, options: options)
    }
    #expect(
      error.description == """
        there is no value type 2: the profile has 2
          hint         it has 'samples', 'cpu'
        """)
  }
}
