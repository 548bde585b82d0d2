import EBPFObject
import EBPFSystem
import TestSupport
import Testing

@testable import Symbolization

@Suite struct KernelSymbolsTests {
  private func parse(_ text: String) throws -> KernelSymbols {
    try KernelSymbols(parsing: Array(text.utf8))
  }

  @Test func `every function that grep finds is found by its address`() throws {
    let text = try contents(ofFile: "/proc/kallsyms")
    let symbols = try KernelSymbols(parsing: text)
    // The oracle: a plain split of each line.
    var names: [UInt64: Set<String>] = [:]
    for line in text.split(separator: 0x0a) {
      let fields = line.split { $0 == 0x20 || $0 == 0x09 }.map {
        String(decoding: $0, as: UTF8.self)
      }
      guard "tTwW".contains(fields[1]) else { continue }
      let address = try #require(UInt64(fields[0], radix: 16))
      names[address, default: []].insert(fields[2])
    }
    #expect(names.count > 10_000)
    #expect(symbols.count == names.count)
    for (address, candidates) in names {
      let function = try #require(symbols.function(at: address))
      #expect(function.address == address)
      #expect(candidates.contains(function.name))
    }
  }

  @Test func `an address inside a function gives it, one after the last gives nothing`() throws {
    let symbols = try parse(
      """
      0000000000000000 A fixed_percpu_data
      ffffffff81000000 T first
      ffffffff81000100 t second
      ffffffff81000200 R data
      ffffffff81000300 D more
      ffffffffc0000000 t in_module\t[ext4]
      ffffffffc0000080 t bpf_prog_1234_x\t[bpf]

      """)
    #expect(symbols.count == 4)
    #expect(symbols.function(at: 0xffff_ffff_80ff_ffff) == nil)
    #expect(symbols.function(at: 0) == nil)
    #expect(symbols.function(at: 0xffff_ffff_8100_00ff)?.name == "first")
    #expect(symbols.function(at: 0xffff_ffff_8100_01ff)?.name == "second")
    #expect(symbols.function(at: 0xffff_ffff_8100_0200) == nil)
    #expect(symbols.function(at: 0xffff_ffff_8200_0000) == nil)
    let module = try #require(symbols.function(at: 0xffff_ffff_c000_0010))
    #expect(module == .init(name: "in_module", module: "ext4", address: 0xffff_ffff_c000_0000))
    #expect(symbols.function(at: 0xffff_ffff_c000_0081)?.module == "bpf")
    #expect(symbols.function(at: 0xffff_ffff_c010_0080) == nil)
    #expect(symbols.function(at: .max) == nil)
  }

  @Test func `hidden addresses are an error that says how to see them`() throws {
    let error = #expect(throws: EBPFError.self) {
      try parse("0000000000000000 T _text\n0000000000000000 t other\n")
    }
    #expect(
      error?.description == """
        denied: the kernel hides its addresses: every address in /proc/kallsyms is zero
          file         /proc/kallsyms
          hint         run with CAP_SYSLOG, and with /proc/sys/kernel/kptr_restrict at 0 or 1
        """)
  }

  @Test(arguments: [
    ("T", "global", "t", "local", "global"), ("t", "local", "T", "global", "global"),
    ("W", "weak", "t", "local", "local"), ("T", "__x64_f", "T", "f", "f"),
    ("T", "__ia32_sys_getppid", "T", "__x64_sys_getppid", "__x64_sys_getppid"),
  ])
  func `of two names for one address the rule picks one`(
    kind1: String, name1: String, kind2: String, name2: String, best: String
  ) throws {
    let symbols = try parse("10 \(kind1) \(name1)\n10 \(kind2) \(name2)\n20 t end\n")
    #expect(symbols.function(at: 0x10)?.name == best)
  }

  @Test func `lines out of order are sorted`() throws {
    let symbols = try parse("30 t c\n10 t a\n20 t b\n")
    #expect(symbols.function(at: 0x11)?.name == "a")
    #expect(symbols.function(at: 0x2f)?.name == "b")
  }

  @Test(arguments: ["xyz", "10", "10 T", "10 T ", " 10 T a", "12345678123456781 T a", "10T a"])
  func `a line that is no symbol is refused`(line: String) throws {
    #expect(throws: EBPFError.self) { try parse("10 T good\n" + line) }
  }

  @Test func `a name gives its functions, and an unknown one what is near`() throws {
    let symbols = try parse("10 T tcp_connect\n20 t twice\n30 t twice\n40 t udp_sendmsg\n")
    #expect(symbols.functions(named: "twice").map(\.address) == [0x20, 0x30])
    #expect(symbols.functions(named: "tcp_conn").isEmpty)
    #expect(symbols.names(near: "tcp_conect") == ["tcp_connect"])
    #expect(symbols.names(near: "zzzz") == [])
  }

  @Test(arguments: [1, 7, 64, 4096])
  func `text fed in pieces gives the same as in one`(size: Int) throws {
    let text = try SystemFile.read("/proc/kallsyms").prefix(200_000)
    let end = try #require(text.lastIndex(of: 0x0a))
    let whole = try KernelSymbols(parsing: Array(text[...end]))
    var parser = KernelSymbolsParser()
    var position = 0
    while position < end {
      let next = min(position + size, end)
      try parser.feed(text[position..<next])
      position = next
    }
    // Without the last line's end.
    let fed = try KernelSymbols(parser)
    #expect(fed.count == whole.count)
    #expect(fed.count > 1000)
    #expect(fed.entries.map(\.address) == whole.entries.map(\.address))
    #expect(fed.names == whole.names)
  }

  @Test func `a damaged line in a later piece is reported at its place in the file`() throws {
    var parser = KernelSymbolsParser()
    try parser.feed(Array("ffffffff81000000 T _text\nffffff".utf8)[...])
    let error = #expect(throws: EBPFError.self) {
      try parser.feed(Array("ff81000010 T next\nnonsense\n".utf8)[...])
    }
    #expect(error?.context.contains(.offset(49)) == true)
  }
}
