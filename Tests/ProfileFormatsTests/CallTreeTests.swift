import Profiles
import Testing

@testable import ProfileFormats

@Suite struct CallTreeTests {
  /// The path of every node that has its own value, with that value.
  private func leaves(_ tree: CallTree, type: Int = 0) -> [String] {
    tree.nodes.indices.filter { tree.selfValues[type][$0] > 0 }.map { node in
      let path = tree.path(to: node).map { tree.functions[$0].name }.joined(separator: "/")
      return "\(path) \(tree.selfValues[type][node])"
    }
  }

  @Test func `stacks merge from the root and the largest child comes first`() throws {
    var sketch = ProfileSketch()
    sketch.add(names: ["main", "a", "b"], count: 1)
    sketch.add(names: ["main", "a", "c"], count: 5)
    sketch.add(names: ["main", "d"], count: 2)
    sketch.add(names: ["main"], count: 3)
    let tree = try CallTree(sketch.profile)
    #expect(leaves(tree) == ["main 3", "main/a/c 5", "main/a/b 1", "main/d 2"])
    #expect(tree.nodes.map(\.depth) == [0, 1, 2, 3, 3, 2])
    #expect(tree.nodes.map(\.end) == [6, 6, 5, 4, 5, 6])
    #expect(tree.nodes.map(\.parent) == [0, 0, 1, 2, 2, 1])
    #expect(tree.totals[0] == [11, 11, 6, 5, 1, 2])
    #expect(tree.totals[1] == tree.totals[0].map { $0 * 10_101_010 })
  }

  @Test func `from the leaf, callers are below`() throws {
    var sketch = ProfileSketch()
    sketch.add(names: ["main", "a", "memcpy"], count: 4)
    sketch.add(names: ["main", "b", "memcpy"], count: 6)
    let tree = try CallTree(sketch.profile, direction: .fromLeaf)
    #expect(leaves(tree) == ["memcpy/b/main 6", "memcpy/a/main 4"])
    #expect(tree.totals[0][1] == 10)
  }

  @Test func `a function is its name, kind and module, whatever its addresses are`() throws {
    var sketch = ProfileSketch()
    sketch.add([sketch.frame("f", address: 1)])
    sketch.add([sketch.frame("f", address: 2)])
    sketch.add([sketch.frame("f", module: "/lib/other.so")])
    sketch.add([sketch.frame("f", kind: .kernel, module: "[kernel]")])
    let tree = try CallTree(sketch.profile)
    #expect(tree.nodes.count == 4)
    #expect(tree.totals[0] == [4, 2, 1, 1])
    let kinds = tree.nodes.map { tree.functions[$0.function].kind }
    #expect(kinds == [.root, .native, .kernel, .native])
  }

  @Test func `a frame without a name is called after its module`() throws {
    var sketch = ProfileSketch()
    sketch.add([sketch.frame(nil, module: "/lib/libc.so.6", address: 7)])
    sketch.add([sketch.frame(nil, kind: .kernel, module: "[kernel]", address: 7)])
    sketch.add([sketch.frame(nil, module: nil, address: 7)])
    let names = try CallTree(sketch.profile).functions.map(\.name)
    #expect(names == ["all", "[kernel]", "[libc.so.6]", "[unknown]"])
  }

  @Test func `processes and commands can stand above the stacks`() throws {
    var sketch = ProfileSketch()
    let main = sketch.frame("main")
    sketch.add([main], count: 1, command: "web", pid: 10)
    sketch.add([main], count: 2, command: "worker", pid: 10, tid: 11)
    sketch.add([main], count: 4, command: "web", pid: 20)
    let processes = try CallTree(sketch.profile, grouping: .process)
    #expect(leaves(processes) == ["web (20)/main 4", "web (10)/main 3"])
    let commands = try CallTree(sketch.profile, grouping: .command)
    #expect(leaves(commands) == ["web/main 5", "worker/main 2"])
    #expect(try leaves(CallTree(sketch.profile)) == ["main 7"])
  }

  @Test func `an empty stack counts for its group`() throws {
    var sketch = ProfileSketch()
    sketch.add([], count: 3)
    #expect(try CallTree(sketch.profile).totals[0] == [3])
    #expect(try leaves(CallTree(sketch.profile, grouping: .command)) == ["app 3"])
  }

  @Test func `a profile without samples has only a root`() throws {
    let tree = try CallTree(ProfileSketch().profile, grouping: .process)
    #expect(tree.nodes.count == 1)
    #expect(tree.totals == [[0], [0]])
  }

  @Test func `stacks without samples leave no trace`() throws {
    var sketch = ProfileSketch()
    sketch.add(names: ["main", "used"])
    sketch.profile.stacks.append([sketch.frame("unused")])
    #expect(try CallTree(sketch.profile).nodes.count == 3)
  }

  @Test func `values below zero count as zero and sums saturate`() throws {
    var sketch = ProfileSketch()
    sketch.profile.period = 0
    sketch.add(names: ["main", "a"], count: .max)
    sketch.add(names: ["main", "b"], count: .max)
    sketch.add(names: ["main", "c"], count: -5)
    let tree = try CallTree(sketch.profile)
    #expect(tree.totals[0][0] == .max)
    #expect(tree.totals[0].last == 0)
  }

  @Test func `the order of the samples does not matter`() throws {
    let profile = SyntheticProfile.server(seed: 3, stacks: 400).profile
    var shuffled = profile
    var random = FixedRandom(seed: 9)
    shuffled.samples.shuffle(using: &random)
    #expect(
      try CallTree(profile, grouping: .process) == CallTree(shuffled, grouping: .process))
  }

  @Test func `a stack of 200,000 frames is just a deep tree`() throws {
    var sketch = ProfileSketch()
    let f = sketch.frame("f")
    let g = sketch.frame("g")
    sketch.add((0..<200_000).map { $0.isMultiple(of: 2) ? f : g }, count: 2)
    let tree = try CallTree(sketch.profile)
    #expect(tree.nodes.last?.depth == 200_000)
    let table = SelfTime(tree, valueType: 0)
    #expect(table.rows.map(\.total) == [2, 2])
    #expect(table.rows.map(\.own) == [2, 0])
  }

  @Test func `an index that points nowhere is an error`() throws {
    var sketch = ProfileSketch()
    sketch.add(names: ["main"])
    let good = sketch.profile
    func failure(_ change: (inout Profile) -> Void) -> String {
      var bad = good
      change(&bad)
      do {
        _ = try CallTree(bad)
        return "no error"
      } catch {
        return error.description
      }
    }
    #expect(failure { $0.samples[0].stack = 1 } == "sample 0 refers to stack 1 of 1")
    #expect(failure { $0.samples[0].process = -1 } == "sample 0 refers to process -1 of 1")
    #expect(failure { $0.stacks[0] = [9] } == "stack 0 refers to frame 9 of 1")
    #expect(failure { $0.frames[0].mapping = 4 } == "frame 0 refers to mapping 4 of 1")
    #expect(
      failure { $0.samples[0].values = [1] } == "sample 0 has 1 values for 2 value types")
    #expect(failure { $0.valueTypes = [] } == "the profile has no value type")
    #expect(throws: ProfileFormatError.self) { try CallTree(good, orderedBy: 2) }
  }

  @Test func `100,000 samples of 20,000 stacks keep their sums`() throws {
    let profile = SyntheticProfile.wide(stacks: 20_000, samples: 100_000, depth: 40)
    let tree = try CallTree(profile, grouping: .process)
    #expect(tree.totals[0][0] == profile.samples.reduce(0) { $0 + $1.values[0] })
    #expect(tree.selfValues[1].reduce(0, +) == tree.totals[1][0])
    for (index, node) in tree.nodes.enumerated().dropFirst() {
      let parent = tree.nodes[node.parent]
      #expect(node.parent < index && index < parent.end && node.end <= parent.end)
      #expect(node.depth == parent.depth + 1)
    }
  }
}

@Suite struct SelfTimeTests {
  @Test func `recursion counts a stack once`() throws {
    var sketch = ProfileSketch()
    sketch.add(names: ["main", "fib", "fib", "fib"], count: 5)
    sketch.add(names: ["main", "fib", "log", "fib"], count: 1)
    sketch.add(names: ["main", "log"], count: 2)
    let tree = try CallTree(sketch.profile)
    let table = SelfTime(tree, valueType: 0)
    let rows = table.rows.map { "\(tree.functions[$0.function].name) \($0.own) \($0.total)" }
    #expect(rows == ["fib 6 6", "log 2 3", "main 0 8"])
    #expect(table.whole == 8)
  }
}
