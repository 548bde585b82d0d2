public import EBPFObject
internal import EBPFSystem

/// A part of a process's code with the file behind it, for whoever reads more of it than names.
public struct CodeMapping: Sendable {
  private let mapping: ProcessMapping
  private let module: ModuleFile

  init(_ mapping: ProcessMapping, _ module: ModuleFile) {
    self.mapping = mapping
    self.module = module
  }

  /// The first address in the process.
  public var start: UInt64 { mapping.start }
  /// The first address after it.
  public var end: UInt64 { mapping.end }
  /// Which file it is.
  public var identity: ModuleIdentity { module.identity }
  /// What an address in the process has more than in the file, modulo 2^64; nil when the file has no
  /// address for this part.
  public var bias: UInt64? {
    module.bias(
      start: mapping.start, fileOffset: mapping.fileOffset, count: mapping.end &- mapping.start)
  }

  /// The file; an error when it is no ELF file.
  public func file() throws(EBPFError) -> ELFFile { try module.elf() }

  /// Lets the kernel drop the file's pages that were read.
  public func releasePages() { module.releasePages() }
}
