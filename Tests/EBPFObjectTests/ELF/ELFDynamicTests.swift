import EBPFObject
import TestSupport
import Testing

@Suite struct ELFDynamicTests {
  @Test(arguments: [
    "/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6", "/bin/bash",
    "/usr/lib/x86_64-linux-gnu/libelf.so.1",
  ])
  func `names are those that readelf prints`(path: String) throws {
    let file = try ELFFile(Bytes(contents(ofFile: path)))
    let output = try Command.output(["readelf", "-dlW", path])
    func bracketed(_ label: String) -> [String] {
      output.split(separator: "\n").filter { $0.contains(label) }.compactMap {
        $0.split(separator: "[").last.map { String($0.prefix { $0 != "]" }) }
      }
    }
    let information = try #require(try file.dynamicInformation())
    #expect(information.needed == bracketed("(NEEDED)"))
    #expect(information.soname == bracketed("(SONAME)").first)
    let interpreter = bracketed("Requesting program interpreter").first.map {
      String($0.drop { $0 != "/" })
    }
    #expect(try file.interpreter == interpreter)
  }

  @Test func `without section headers the dynamic segment says the same`() throws {
    var bytes = try contents(ofFile: "/bin/bash")
    let whole = try ELFFile(Bytes(bytes)).dynamicInformation()
    // e_shoff, e_shnum and e_shstrndx of a 64-bit header: no sections.
    for offset in [40, 41, 42, 43, 44, 45, 46, 47, 60, 61, 62, 63] { bytes[offset] = 0 }
    let stripped = try ELFFile(Bytes(bytes))
    #expect(stripped.sections.isEmpty)
    #expect(try stripped.dynamicInformation() == whole)
    #expect(try stripped.buildID != nil)
  }

  @Test func `a debug link is the one that readelf prints`() throws {
    let directory = try TemporaryDirectory()
    let source = try directory.write("int main(void) { return 0; }", to: "main.c")
    let executable = directory.file("main")
    let debug = directory.file("main.debug")
    _ = try Command.output(["clang", "-g", source, "-o", executable])
    _ = try Command.output(["objcopy", "--only-keep-debug", executable, debug])
    _ = try Command.output(["objcopy", "--add-gnu-debuglink=\(debug)", executable])
    let output = try Command.output(["readelf", "--debug-dump=links", executable])
    let file = try ELFFile(Bytes(contents(ofFile: executable)))
    let link = try #require(try file.debugLink)
    #expect(output.contains("Separate debug info file: \(link.fileName)"))
    #expect(output.contains("CRC value: 0x\(String(link.checksum, radix: 16))"))
    // A debug file keeps the headers of what it lost, and its own build id and symbols.
    let other = try ELFFile(Bytes(contents(ofFile: debug)))
    #expect(try other.buildID == file.buildID)
    #expect(try other.function(named: "main").size > 0)
    #expect(try other.debugLink == nil)
    #expect(try other.dynamicInformation() == nil)
  }

  @Test func `a Go program is known by its sections`() throws {
    let directory = try TemporaryDirectory()
    let source = try directory.write("int main(void) { return 0; }", to: "main.c")
    let plain = directory.file("plain")
    let table = directory.file("table")
    _ = try Command.output(["clang", source, "-o", plain])
    _ = try Command.output(["objcopy", "--add-section", ".gopclntab=\(source)", plain, table])
    #expect(try !ELFFile(Bytes(contents(ofFile: plain))).isGoProgram)
    let file = try ELFFile(Bytes(contents(ofFile: table)))
    #expect(file.isGoProgram)
    #expect(file.goLineTable?.size == 28)
    #expect(!file.hasMiniDebugInformation)
  }
}
