/// A list of CPUs as sysfs writes it: `0-3,8`.
public struct CPUSet: Sendable, Hashable {
  /// The numbers, ascending.
  public let cpus: [Int]

  /// The most CPUs a kernel can be built for (`CONFIG_NR_CPUS` on x86_64 is 8,192 at most).
  static let limit = 65_536

  /// Reads a list; nil when it is not one.
  public init?(parsing text: some StringProtocol) {
    let list = text.split(whereSeparator: \.isWhitespace)
    guard list.count <= 1 else { return nil }
    var cpus: [Int] = []
    for range in list.first?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
      let ends = range.split(separator: "-", omittingEmptySubsequences: false)
      guard ends.count <= 2, let first = CPUSet.number(ends[0]),
        let last = CPUSet.number(ends[ends.count - 1]), first <= last, last < CPUSet.limit,
        first > cpus.last ?? -1
      else { return nil }
      cpus.append(contentsOf: first...last)
    }
    self.cpus = cpus
  }

  private static func number(_ text: some StringProtocol) -> Int? {
    text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
  }

  /// The CPUs that are running: where a per-CPU event can be opened.
  public static func online() throws(Errno) -> CPUSet { try read("online") }

  /// The CPUs that could ever run: how many values a per-CPU map has.
  public static func possible() throws(Errno) -> CPUSet { try read("possible") }

  private static func read(_ name: String) throws(Errno) -> CPUSet {
    let text = try SystemFile.text("/sys/devices/system/cpu/" + name, limit: 65_536)
    guard let set = CPUSet(parsing: text), !set.cpus.isEmpty else { throw .invalid }
    return set
  }
}
