internal import Profiles

/// The distinct stacks of a profile as a trie of functions; node 0 is above all stacks.
///
/// Most nodes have one child, so the first child of each is found without hashing.
struct StackTrie {
  private(set) var functions: [Int32] = [0]
  private(set) var parents: [Int32] = [0]
  private(set) var depths: [Int32] = [0]
  /// For each stack that has samples, the node it ends in.
  private(set) var leaves: [Int32]

  init(_ profile: Profile, _ table: FunctionTable, direction: CallTree.Direction) {
    leaves = [Int32](repeating: 0, count: profile.stacks.count)
    var isUsed = [Bool](repeating: false, count: profile.stacks.count)
    for sample in profile.samples { isUsed[sample.stack] = true }
    var children = PairIndex(minimumCapacity: profile.stacks.count)
    var firstChild: [Int32] = [-1]
    for (index, stack) in profile.stacks.enumerated() where isUsed[index] {
      var node: Int32 = 0
      for step in stack.indices {
        let frame = direction == .fromRoot ? stack[stack.count - 1 - step] : stack[step]
        let function = Int32(table.ofFrame[frame])
        let new = Int32(functions.count)
        let first = firstChild[Int(node)]
        let child: Int32
        if first < 0 {
          firstChild[Int(node)] = new
          child = new
        } else if functions[Int(first)] == function {
          child = first
        } else {
          child = children.value(node, function, orInsert: new)
        }
        if child == new {
          firstChild.append(-1)
          functions.append(function)
          parents.append(node)
          depths.append(depths[Int(node)] + 1)
        }
        node = child
      }
      leaves[index] = node
    }
  }
}

/// Which node of the call tree stands for a node of the trie in each group.
///
/// Most stacks are of one process, so the first group of each node is found without hashing.
struct GroupPlaces {
  private var firstGroup: [Int32]
  private var firstPlace: [Int32]
  private var others = PairIndex(minimumCapacity: 64)

  init(nodes: Int) {
    firstGroup = [Int32](repeating: -1, count: nodes)
    firstPlace = firstGroup
  }

  /// The place of `node` in `group`; `new` when it had none, which it then has.
  mutating func place(of node: Int32, in group: Int32, orInsert new: Int32) -> Int32 {
    let index = Int(node)
    if firstGroup[index] == group { return firstPlace[index] }
    guard firstGroup[index] < 0 else { return others.value(group, node, orInsert: new) }
    firstGroup[index] = group
    firstPlace[index] = new
    return new
  }
}
