/// What was measured in each function itself, and in it and everything it called.
///
/// A function that is on a stack more than once counts that stack once.
public struct SelfTime: Sendable, Hashable {
  /// One function.
  public struct Row: Sendable, Hashable {
    /// Index into ``CallTree/functions``.
    public let function: Int
    /// Measured while it was running.
    public let own: Int64
    /// Measured while it was on the stack.
    public let total: Int64
  }

  /// The functions, the largest own value first; processes and the root are left out.
  public let rows: [Row]
  /// The value of the whole profile.
  public let whole: Int64

  /// Sums up one value type of `tree`, which must not be one that starts from the leaves.
  public init(_ tree: CallTree, valueType: Int) {
    let (selfValues, totals) = (tree.selfValues[valueType], tree.totals[valueType])
    var own = [Int64](repeating: 0, count: tree.functions.count)
    var total = own
    var active = [Int](repeating: 0, count: tree.functions.count)
    var open: [Int] = []
    for (index, node) in tree.nodes.enumerated() {
      while open.count > node.depth, let left = open.popLast() { active[left] -= 1 }
      own[node.function] = saturatingSum(own[node.function], selfValues[index])
      if active[node.function] == 0 {
        total[node.function] = saturatingSum(total[node.function], totals[index])
      }
      active[node.function] += 1
      open.append(node.function)
    }
    rows = tree.functions.indices
      .filter { tree.functions[$0].kind != .root && tree.functions[$0].kind != .process }
      .filter { total[$0] > 0 }
      .map { Row(function: $0, own: own[$0], total: total[$0]) }
      .sorted {
        if $0.own != $1.own { return $0.own > $1.own }
        return $0.total != $1.total ? $0.total > $1.total : $0.function < $1.function
      }
    whole = totals[0]
  }
}
