import CLibelf
import EBPFObject
import Glibc

/// What libelf says about a file: the oracle for our reader.
final class LibELF {
  private let handle: OpaquePointer
  private let memory: UnsafeMutableRawBufferPointer

  /// Nil when libelf refuses the bytes.
  init?(_ bytes: [UInt8]) {
    elf_version(UInt32(EV_CURRENT))
    memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 64)
    memory.copyBytes(from: bytes)
    guard let start = memory.baseAddress,
      let handle = elf_memory(start.assumingMemoryBound(to: CChar.self), bytes.count),
      elf_kind(handle) == ELF_K_ELF
    else {
      memory.deallocate()
      return nil
    }
    self.handle = handle
  }

  deinit {
    elf_end(handle)
    memory.deallocate()
  }

  var header: GElf_Ehdr {
    var header = GElf_Ehdr()
    gelf_getehdr(handle, &header)
    return header
  }

  struct Section: Equatable {
    var name: String
    var numbers: [UInt64]
  }

  /// Name, then type, flags, address, offset, size, link, info, alignment, entry size.
  func sections() -> [Section] {
    var names = 0
    elf_getshdrstrndx(handle, &names)
    return scns.map { scn in
      var header = GElf_Shdr()
      gelf_getshdr(scn, &header)
      let name = elf_strptr(handle, names, Int(header.sh_name)).map { String(cString: $0) } ?? ""
      return Section(
        name: name,
        numbers: [
          UInt64(header.sh_type), header.sh_flags, header.sh_addr, header.sh_offset,
          header.sh_size, UInt64(header.sh_link), UInt64(header.sh_info), header.sh_addralign,
          header.sh_entsize,
        ])
    }
  }

  /// Type, flags, offset, virtual and physical address, file and memory size, alignment.
  func segments() -> [[UInt64]] {
    var count = 0
    elf_getphdrnum(handle, &count)
    return (0..<Int32(count)).map { index in
      var header = GElf_Phdr()
      gelf_getphdr(handle, index, &header)
      return [
        UInt64(header.p_type), UInt64(header.p_flags), header.p_offset, header.p_vaddr,
        header.p_paddr, header.p_filesz, header.p_memsz, header.p_align,
      ]
    }
  }

  struct Symbol: Equatable {
    var name: String
    var value: UInt64
    var size: UInt64
    var info: UInt8
    var other: UInt8
    /// The resolved section index.
    var section: UInt32
  }

  /// The symbol at `index` of the table in section `section`.
  func symbols(inSection section: Int, strings: Int, indexes: [Int]) -> [Symbol] {
    let data = elf_getdata(elf_getscn(handle, section), nil)
    var extended: UnsafeMutablePointer<Elf_Data>?
    for scn in scns {
      var header = GElf_Shdr()
      gelf_getshdr(scn, &header)
      if header.sh_type == UInt32(SHT_SYMTAB_SHNDX), Int(header.sh_link) == section {
        extended = elf_getdata(scn, nil)
      }
    }
    return indexes.map { index in
      var symbol = GElf_Sym()
      var place: Elf32_Word = 0
      gelf_getsymshndx(data, extended, Int32(index), &symbol, &place)
      let name = elf_strptr(handle, strings, Int(symbol.st_name)).map { String(cString: $0) }
      return Symbol(
        name: name ?? "", value: symbol.st_value, size: symbol.st_size, info: symbol.st_info,
        other: symbol.st_other,
        section: symbol.st_shndx == 0xffff ? place : UInt32(symbol.st_shndx))
    }
  }

  /// Offset, symbol, type, addend (0 without one) of every relocation in a section.
  func relocations(inSection section: Int) -> [[Int64]] {
    let scn = elf_getscn(handle, section)
    var header = GElf_Shdr()
    gelf_getshdr(scn, &header)
    let data = elf_getdata(scn, nil)
    guard header.sh_entsize > 0 else { return [] }
    return (0..<Int32(header.sh_size / header.sh_entsize)).map { index in
      if header.sh_type == UInt32(SHT_RELA) {
        var entry = GElf_Rela()
        gelf_getrela(data, index, &entry)
        return [
          Int64(bitPattern: entry.r_offset), Int64(entry.r_info >> 32),
          Int64(entry.r_info & 0xffff_ffff), entry.r_addend,
        ]
      }
      var entry = GElf_Rel()
      gelf_getrel(data, index, &entry)
      return [
        Int64(bitPattern: entry.r_offset), Int64(entry.r_info >> 32),
        Int64(entry.r_info & 0xffff_ffff), 0,
      ]
    }
  }

  /// Owner, type and description of every note of a section.
  func notes(inSection section: Int) -> [(owner: String, type: UInt32, description: [UInt8])] {
    guard let data = elf_getdata(elf_getscn(handle, section), nil),
      let start = data.pointee.d_buf
    else { return [] }
    var notes: [(owner: String, type: UInt32, description: [UInt8])] = []
    var offset = 0
    while true {
      var header = GElf_Nhdr()
      var name = 0
      var description = 0
      let next = gelf_getnote(data, offset, &header, &name, &description)
      if next == 0 { return notes }
      let owner =
        header.n_namesz == 0
        ? ""
        : String(cString: start.advanced(by: name).assumingMemoryBound(to: CChar.self))
      notes.append(
        (
          owner, header.n_type,
          [UInt8](
            UnsafeRawBufferPointer(
              start: start.advanced(by: description), count: Int(header.n_descsz)))
        ))
      offset = next
    }
  }

  private var scns: [OpaquePointer] {
    var count = 0
    elf_getshdrnum(handle, &count)
    return (0..<count).compactMap { elf_getscn(handle, $0) }
  }
}
