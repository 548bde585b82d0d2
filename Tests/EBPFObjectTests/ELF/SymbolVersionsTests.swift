import EBPFObject
import TestSupport
import Testing

@Suite struct SymbolVersionsTests {
  @Test(arguments: [
    "/lib/x86_64-linux-gnu/libm.so.6", "/lib/x86_64-linux-gnu/libc.so.6",
    "/usr/lib/x86_64-linux-gnu/libstdc++.so.6", "/lib64/ld-linux-x86-64.so.2", "/bin/bash",
    "/usr/lib/x86_64-linux-gnu/libelf.so.1",
  ])
  func `versions are those that readelf prints`(path: String) throws {
    let file = try ELFFile(Bytes(contents(ofFile: path)))
    let table = try #require(try file.dynamicSymbolTable)
    let versions = try #require(try file.symbolVersions)
    let output = try Command.output(["readelf", "-W", "--dyn-syms", path])
    var compared = 0
    for line in output.split(separator: "\n") {
      // "  12: 0000000000001234   56 FUNC    GLOBAL DEFAULT   15 name@@VERSION"
      let fields = line.split(separator: " ")
      guard fields.count >= 8, fields[0].last == ":", let index = Int(fields[0].dropLast())
      else { continue }
      let symbol = try table.symbol(at: index)
      var name = try table.name(of: symbol)
      let version = try versions.version(ofSymbolAt: index)
      // A version is itself a symbol, absolute and of its own version, which readelf does not repeat.
      if let version, symbol.placement != .absolute || version.name != name {
        name += (version.isDefault ? "@@" : "@") + version.name
      }
      #expect(name == fields[7], "\(path) \(index)")
      compared += 1
    }
    #expect(compared == table.count - 1)
  }

  @Test func `a file without versions has none`() throws {
    let directory = try TemporaryDirectory()
    let object = directory.file("plain.o")
    _ = try Command.output(
      ["clang", "-x", "c", "-c", "-", "-o", object], input: Array("int f(void){return 1;}".utf8))
    let file = try ELFFile(Bytes(contents(ofFile: object)))
    #expect(try file.symbolVersions == nil)
    #expect(try file.function(named: "f").fullName == "f")
  }
}
