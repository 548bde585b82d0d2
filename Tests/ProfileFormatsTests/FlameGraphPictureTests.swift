import Profiles
import Testing

@testable import ProfileFormats

@Suite struct FlameGraphPictureTests {
  private func lines(_ profile: Profile, _ options: ProfileOptions = ProfileOptions()) throws
    -> [String]
  {
    let bytes = try ProfileFormat.svg.encode(profile, options: options)
    return try Oracle.read(bytes, with: "check_svg.py").split(
      separator: "\n", omittingEmptySubsequences: false
    ).dropLast().map(String.init)
  }

  @Test func `every box says what it is and how wide`() throws {
    var sketch = ProfileSketch()
    let main = sketch.frame("main")
    let read = sketch.frame("vfs_read<int>", kind: .kernel, module: "[kernel]")
    sketch.add([main, read], count: 3)
    sketch.add([main], count: 1)
    var options = ProfileOptions()
    options.valueType = 0
    #expect(
      try lines(sketch.profile, options) == [
        "3 0", "all – 4 samples, 100.0 %", "main – 4 samples, 100.0 % | /usr/bin/app",
        "vfs_read<int> – 3 samples, 75.0 % | [kernel]",
      ])
    options.direction = .fromLeaf
    #expect(try lines(sketch.profile, options)[0] == "4 0")
  }

  @Test func `boxes that are too narrow are left out and counted`() throws {
    var sketch = ProfileSketch()
    sketch.add(names: ["main", "hot"], count: 1_000_000)
    sketch.add(names: ["main", "cold", "colder"], count: 1)
    #expect(try lines(sketch.profile)[0] == "3 2")
    let large = try lines(SyntheticProfile.server(stacks: 3_000).profile)[0].split(separator: " ")
    let tree = try CallTree(SyntheticProfile.server(stacks: 3_000).profile, orderedBy: 1)
    #expect(large.compactMap { Int($0) }.reduce(0, +) == tree.nodes.count)
  }

  @Test func `hostile names are text and nothing is a picture too`() throws {
    let lines = try lines(.hostile())
    #expect(lines.contains { $0.hasPrefix("</script><script>alert(1)</script> – ") })
    #expect(lines.count == Profile.hostileNames.count + 3)
    #expect(try self.lines(ProfileSketch().profile)[0] == "1 0")
  }

  @Test func `a very deep stack is a tall picture`() throws {
    var sketch = ProfileSketch()
    sketch.add(names: (0..<5_000).map { "f\($0 % 9)" })
    #expect(try lines(sketch.profile)[0] == "5001 0")
  }
}
