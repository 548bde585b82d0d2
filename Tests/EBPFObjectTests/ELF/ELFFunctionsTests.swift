import EBPFObject
import TestSupport
import Testing

@Suite struct ELFFunctionsTests {
  private static let libc = "/lib/x86_64-linux-gnu/libc.so.6"

  @Test func `a version chooses among the functions of one name`() throws {
    let file = try ELFFile(Bytes(contents(ofFile: Self.libc)))
    let listed = try Command.output(["nm", "-D", "--defined-only", Self.libc])
    func address(_ name: String) throws -> UInt64 {
      let line = try #require(listed.split(separator: "\n").first { $0.hasSuffix(" " + name) })
      return try #require(UInt64(line.prefix { $0 != " " }, radix: 16))
    }
    for name in [
      "memcpy@GLIBC_2.2.5", "memcpy@@GLIBC_2.14", "malloc@@GLIBC_2.2.5",
      "pthread_cond_wait@GLIBC_2.2.5", "pthread_cond_wait@@GLIBC_2.3.2",
    ] {
      let function = try file.function(named: name)
      #expect(function.fullName == name)
      #expect(try function.address == address(name))
    }
    // A plain name means the default version.
    #expect(try file.function(named: "memcpy").fullName == "memcpy@@GLIBC_2.14")
    #expect(try file.function(named: "memcpy").isIndirect)
    #expect(try file.functions(named: "memcpy").count == 2)
    #expect(try file.functions(named: "memcpy@@GLIBC_2.2.5").isEmpty)
    #expect(try file.function(named: "malloc@GLIBC_2.2.5").fullName == "malloc@@GLIBC_2.2.5")
  }

  @Test func `a name that is not there says what the file has`() throws {
    let file = try ELFFile(Bytes(contents(ofFile: Self.libc)))
    let error = #expect(throws: EBPFError.self) { try file.function(named: "mallok") }
    #expect(
      error?.description == """
        not_found: the file defines no function 'mallok'
          symbol       mallok
          hint         the file is stripped: only its dynamic symbols are left
        """)
  }

  @Test func `two functions of equal rank are ambiguous, and the error lists them`() throws {
    let directory = try TemporaryDirectory()
    let one = try directory.write(
      "__attribute__((noinline)) static int f(int a){return a+1;} int g(int a){return f(a);}",
      to: "one.c")
    let two = try directory.write(
      "__attribute__((noinline)) static int f(int a){return a*3;} int g(int);"
        + "int h(int a){return f(a)+g(a);} int main(int c,char**v){return h(c);}"
        + "__attribute__((weak)) int w(void){return 2;}", to: "two.c")
    let executable = directory.file("twice")
    _ = try Command.output(["clang", "-O1", "-no-pie", one, two, "-o", executable])
    let file = try ELFFile(Bytes(contents(ofFile: executable)))
    let functions = try file.functions(named: "f")
    try #require(functions.count == 2)
    let error = #expect(throws: EBPFError.self) { try file.function(named: "f") }
    let places = functions.map { "f at 0x" + String($0.address, radix: 16) }
    #expect(
      error?.description == """
        invalid_argument: 'f' is ambiguous: 2 functions have that name: \(places[0]), \(places[1])
          symbol       f
          hint         give the version, or the address instead of the name
        """)
    #expect(try file.function(named: "w").binding == ELFFile.SymbolBinding.weak)
  }

  @Test func `file offsets by program headers agree with those by sections`() throws {
    for path in [Self.libc, "/bin/bash", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6"] {
      let file = try ELFFile(try MachineFiles.map(path))
      let table = try #require(try file.dynamicSymbolTable)
      var compared = 0
      try table.forEachSymbol { (symbol) throws(EBPFError) in
        guard symbol.isFunction, let index = symbol.sectionIndex, compared < 2000 else { return }
        let section = try file.section(at: index)
        let offset = file.fileOffset(ofAddress: symbol.value)
        #expect(offset == symbol.value - section.address + section.offset)
        #expect(offset.flatMap { file.address(ofFileOffset: $0) } == symbol.value)
        compared += 1
      }
      #expect(compared > 0, "\(path)")
    }
  }
}
