public import Profiles

/// All stacks of a profile as one tree: who called whom, and what was measured there.
///
/// Frames with the same name, kind and module are one function; equal paths are one node. Nodes are
/// stored in the order of a walk that visits a parent before its children and the largest child
/// first, so that a node's subtree is the range `index ..< nodes[index].end`. Equal profiles give
/// equal trees.
public struct CallTree: Sendable, Hashable {
  /// What stands between the root and the stacks.
  public enum Grouping: Sendable, Hashable {
    /// Nothing: the stacks of all processes together.
    case merged
    /// One node for each command name.
    case command
    /// One node for each process, called `command (pid)`.
    case process
  }

  /// Which end of a stack is near the root.
  public enum Direction: Sendable, Hashable {
    /// Callers above callees.
    case fromRoot
    /// The function that was running first, its callers below.
    case fromLeaf
  }

  /// What a function is; decides its colour.
  public enum Kind: UInt8, Sendable, Hashable {
    /// The node that is all of the profile.
    case root
    /// A process or command.
    case process
    /// Kernel code.
    case kernel
    /// Compiled user code.
    case native
    /// Code made at run time.
    case jit
    /// Not code, such as `[truncated]`.
    case marker

    init(_ kind: Profile.Frame.Kind) {
      switch kind {
      case .kernel: self = .kernel
      case .native: self = .native
      case .jit: self = .jit
      case .marker: self = .marker
      }
    }
  }

  /// A function, process or marker.
  public struct Function: Sendable, Hashable {
    /// The name for a person; the file's name in brackets when there is none.
    public let name: String
    /// What it is.
    public let kind: Kind
    /// The path of the file it was mapped from; empty when unknown.
    public let module: String
    /// Its source file, when known.
    public let file: String?
    /// The first line seen in it, 1-based; 0 when unknown.
    public let line: Int
  }

  /// One path from the root.
  public struct Node: Sendable, Hashable {
    /// Index into ``CallTree/functions``.
    public let function: Int
    /// Index into ``CallTree/nodes``; the root is its own parent.
    public let parent: Int
    /// How many nodes are above it.
    public let depth: Int
    /// The index after the last node of its subtree.
    public let end: Int
  }

  /// The distinct functions, ordered by name; the first is the root's.
  public let functions: [Function]
  /// The nodes; the first is the root.
  public let nodes: [Node]
  /// What was measured in a node itself: for each value type, one number for each node.
  public let selfValues: [[Int64]]
  /// What was measured in a node and everything below it, likewise.
  public let totals: [[Int64]]
  /// The value type that children are ordered by.
  public let valueType: Int

  /// Builds the tree; values below zero count as zero, and sums stop at the largest number.
  ///
  /// - Parameter valueType: Index of the value that children are ordered by, largest first.
  public init(
    _ profile: Profile, grouping: Grouping = .merged, direction: Direction = .fromRoot,
    orderedBy valueType: Int = 0
  ) throws(ProfileFormatError) {
    try profile.check()
    guard profile.valueTypes.indices.contains(valueType) else {
      throw ProfileFormatError(
        "there is no value type \(valueType): the profile has \(profile.valueTypes.count)")
    }
    let table = FunctionTable(profile, grouping: grouping)
    let builder = CallTreeBuilder(profile, table, direction: direction)
    let layout = builder.layout(orderedBy: valueType)
    functions = table.functions
    nodes = layout.nodes
    selfValues = layout.selfValues
    totals = layout.totals
    self.valueType = valueType
  }

  /// The functions from below the root down to `node`, as indices into ``functions``.
  public func path(to node: Int) -> [Int] {
    var path: [Int] = []
    var current = node
    while current != 0 {
      path.append(nodes[current].function)
      current = nodes[current].parent
    }
    path.reverse()
    return path
  }
}
