import EBPFObject
import Synchronization

/// One reading of the kernel's functions, some megabytes, for all who use it at the same time.
final class KernelSymbolList: Sendable {
  let symbols: KernelSymbols

  private struct Newest: ~Copyable {
    weak var list: KernelSymbolList?
  }

  private static let newest = Mutex(Newest())

  private init(_ symbols: KernelSymbols) { self.symbols = symbols }

  /// The newest list that is in use, when it is another one than `known`; else one that is read now.
  static func newer(
    than known: KernelSymbolList?
  ) throws(EBPFError) -> (list: KernelSymbolList, isFresh: Bool) {
    try newest.withLock { (newest) throws(EBPFError) in
      if let list = newest.list, list !== known { return (list, false) }
      let list = KernelSymbolList(try KernelSymbols.load())
      newest.list = list
      return (list, true)
    }
  }
}
