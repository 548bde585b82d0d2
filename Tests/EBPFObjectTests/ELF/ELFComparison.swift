import EBPFObject
import Glibc

/// Our values in the shape the oracle gives them.
extension ELFFile {
  var comparableSections: [LibELF.Section] {
    sections.map {
      LibELF.Section(
        name: $0.name,
        numbers: [
          UInt64($0.type), $0.flags, $0.address, $0.offset, $0.size, UInt64($0.link),
          UInt64($0.info), $0.alignment, $0.entrySize,
        ])
    }
  }
}

extension ELFFile.Segment {
  var comparable: [UInt64] {
    [
      UInt64(type), UInt64(flags), offset, virtualAddress, physicalAddress, fileSize, memorySize,
      alignment,
    ]
  }
}

extension ELFFile.Relocation {
  var comparable: [Int64] {
    [Int64(bitPattern: offset), Int64(symbolIndex), Int64(type), addend ?? 0]
  }
}

extension SymbolTable {
  func comparable(_ indexes: [Int]) throws(EBPFError) -> [LibELF.Symbol] {
    var symbols: [LibELF.Symbol] = []
    for index in indexes {
      let symbol = try symbol(at: index)
      symbols.append(
        LibELF.Symbol(
          name: try name(of: symbol), value: symbol.value, size: symbol.size, info: symbol.info,
          other: symbol.other,
          section: symbol.rawSectionIndex == 0xffff
            ? symbol.extendedSectionIndex : UInt32(symbol.rawSectionIndex)))
    }
    return symbols
  }
}

/// Whole files, for tests.
enum FileBytes {
  struct Failure: Error { var path: String, errno: Int32 }

  static func read(_ path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(path: path, errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Failure(path: path, errno: errno) }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeMutableBytes {
        Glibc.read(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done)
      }
      guard count > 0 else { throw Failure(path: path, errno: errno) }
      done += count
    }
    return bytes
  }
}
