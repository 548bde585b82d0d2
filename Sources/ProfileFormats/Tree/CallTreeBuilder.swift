internal import Profiles

/// Builds a ``CallTree`` in time proportional to the frames of the distinct stacks, plus the
/// samples, plus the nodes of the result. Nothing in it recurses.
///
/// Stacks first go into a trie that knows nothing of processes. A sample then walks from its
/// stack's leaf towards the root only as far as its group has not been yet.
struct CallTreeBuilder {
  struct Layout {
    var nodes: [CallTree.Node] = []
    var selfValues: [[Int64]]
    var totals: [[Int64]]
  }

  private var functions: [Int32] = [0]
  private var parents: [Int32] = [0]
  private var depths: [Int32] = [0]
  private var values: [[Int64]]

  init(_ profile: Profile, _ table: FunctionTable, direction: CallTree.Direction) {
    values = profile.valueTypes.map { _ in [0] }
    let trie = StackTrie(profile, table, direction: direction)
    var places = GroupPlaces(nodes: trie.functions.count)
    let isGrouped = !table.ofProcess.isEmpty
    for sample in profile.samples {
      let group = isGrouped ? Int32(table.ofProcess[sample.process]) : 0
      let leaf = place(trie.leaves[sample.stack], in: group, of: trie, &places)
      for type in values.indices {
        values[type][leaf] = saturatingSum(values[type][leaf], max(0, sample.values[type]))
      }
    }
  }

  /// The node of `group` that stands for `start` in the trie, made with its callers if need be.
  private mutating func place(
    _ start: Int32, in group: Int32, of trie: StackTrie, _ places: inout GroupPlaces
  ) -> Int {
    var result: Int32 = -1
    var child: Int32 = -1
    var current = start
    while true {
      let isGroupNode = current == 0
      if isGroupNode && group == 0 { return result < 0 ? 0 : Int(result) }
      let new = Int32(functions.count)
      let node = places.place(of: current, in: group, orInsert: new)
      if child >= 0 { parents[Int(child)] = node }
      if result < 0 { result = node }
      if node != new { return Int(result) }
      functions.append(isGroupNode ? group : trie.functions[Int(current)])
      depths.append(trie.depths[Int(current)] + (group == 0 ? 0 : 1))
      parents.append(0)
      for type in values.indices { values[type].append(0) }
      if isGroupNode { return Int(result) }
      child = node
      current = trie.parents[Int(current)]
    }
  }

  /// Sums up and puts the nodes into their final order.
  func layout(orderedBy type: Int) -> Layout {
    let totals = summed()
    let (starts, children) = childLists(totals[type])
    let count = functions.count
    var order: [Int32] = []
    order.reserveCapacity(count)
    var position = [Int](repeating: 0, count: count)
    var pending: [Int32] = [0]
    while let node = pending.popLast() {
      position[Int(node)] = order.count
      order.append(node)
      for slot in (starts[Int(node)]..<starts[Int(node) + 1]).reversed() {
        pending.append(children[slot])
      }
    }

    var ends = [Int](repeating: 0, count: count)
    for index in order.indices.reversed() {
      ends[index] = max(ends[index], index + 1)
      if index > 0 {
        let parent = position[Int(parents[Int(order[index])])]
        ends[parent] = max(ends[parent], ends[index])
      }
    }
    var layout = Layout(
      selfValues: values.map { column in order.map { column[Int($0)] } },
      totals: totals.map { column in order.map { column[Int($0)] } })
    layout.nodes.reserveCapacity(count)
    for (index, node) in order.enumerated() {
      layout.nodes.append(
        CallTree.Node(
          function: Int(functions[Int(node)]), parent: position[Int(parents[Int(node)])],
          depth: Int(depths[Int(node)]), end: ends[index]))
    }
    return layout
  }

  /// For each value type and node, its own value and those of all nodes below it.
  private func summed() -> [[Int64]] {
    let deepestFirst = nodesByDepth().reversed()
    var totals = values
    for type in totals.indices {
      for node in deepestFirst where node != 0 {
        let parent = Int(parents[Int(node)])
        totals[type][parent] = saturatingSum(totals[type][parent], totals[type][Int(node)])
      }
    }
    return totals
  }

  /// All nodes, the root first, by a counting sort.
  private func nodesByDepth() -> [Int32] {
    let deepest = Int(depths.max() ?? 0)
    var starts = [Int](repeating: 0, count: deepest + 2)
    for depth in depths { starts[Int(depth) + 1] += 1 }
    for depth in 0...deepest { starts[depth + 1] += starts[depth] }
    var order = [Int32](repeating: 0, count: depths.count)
    for (node, depth) in depths.enumerated() {
      order[starts[Int(depth)]] = Int32(node)
      starts[Int(depth)] += 1
    }
    return order
  }

  /// The children of node `n` are `children[starts[n] ..< starts[n + 1]]`, the largest first.
  private func childLists(_ totals: [Int64]) -> (starts: [Int], children: [Int32]) {
    let count = functions.count
    var starts = [Int](repeating: 0, count: count + 1)
    for node in 1..<max(1, count) { starts[Int(parents[node]) + 1] += 1 }
    for node in 0..<count { starts[node + 1] += starts[node] }
    var next = starts
    var children = [Int32](repeating: 0, count: max(0, count - 1))
    for node in 1..<max(1, count) {
      let parent = Int(parents[node])
      children[next[parent]] = Int32(node)
      next[parent] += 1
    }
    for node in 0..<count where starts[node + 1] - starts[node] > 1 {
      let range = starts[node]..<starts[node + 1]
      let sorted = children[range].sorted { one, other in
        let (a, b) = (totals[Int(one)], totals[Int(other)])
        return a != b ? a > b : functions[Int(one)] < functions[Int(other)]
      }
      for (offset, child) in sorted.enumerated() { children[range.lowerBound + offset] = child }
    }
    return (starts, children)
  }
}

/// The sum, or the largest number when it does not fit.
func saturatingSum(_ one: Int64, _ other: Int64) -> Int64 {
  let (sum, overflow) = one.addingReportingOverflow(other)
  return overflow ? .max : sum
}
