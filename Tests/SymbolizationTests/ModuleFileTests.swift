import EBPFObject
import EBPFSystem
import Glibc
import TestSupport
import Testing

@testable import Symbolization

@Suite struct ModuleFileTests {
  private static func library(_ folder: TemporaryDirectory) throws -> String {
    let functions = (0..<2000).map { "int function_\($0)(int x) { return x * \($0) + 1; }" }
    let source = try folder.write(functions.joined(separator: "\n"), to: "many.c")
    let library = folder.file("many.so")
    _ = try Command.output(["cc", "-O1", "-shared", "-fPIC", "-o", library, source])
    return library
  }

  @Test func `a library that its process cuts short gives reasons instead of names, and no signal`()
    async
  {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryDirectory()
      let path = try ModuleFileTests.library(folder)
      let names = try ELFSymbols(try ELFFile(try MappedFile.open(path)))
      let first = try #require(names.functions(named: "function_7").first).address
      let second = try #require(names.functions(named: "function_8").first).address

      let file = ModuleFile(try MappedFile.open(path), identity: .notAFile, path: path)
      file.resolve([first], debugFiles: DebugFiles())
      guard case .function(let function, _) = file.answer(first) else {
        Issue.record("no name before the file was cut")
        return
      }
      #expect(function.name == "function_7")
      #expect(truncate(path, 4096) == 0)
      file.resolve([second], debugFiles: DebugFiles())
      guard case .unresolved(.malformedFile) = file.answer(second) else {
        Issue.record("a name from a file that was cut: \(file.answer(second))")
        return
      }
      // What was known stays known.
      guard case .function = file.answer(first) else {
        Issue.record("the name was forgotten")
        return
      }
    }
  }

  @Test func `a library cut short before anything was read is no readable file`() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryDirectory()
      let path = try ModuleFileTests.library(folder)
      let file = ModuleFile(try MappedFile.open(path), identity: .notAFile, path: path)
      #expect(truncate(path, 0) == 0)
      #expect(!file.isReadable)
      #expect(file.buildID == "")
      #expect(file.address(ofFileOffset: 4096) == nil)
    }
  }

  @Test(arguments: [0, 1, 4095, 4096, 4097, 8192, 10_000])
  func `a file is known by its head, its tail and its length`(count: Int) throws {
    let folder = try TemporaryDirectory()
    let content = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
    let path = try folder.write(content, to: "file")
    let script = """
      import hashlib, sys
      data = open(sys.argv[1], "rb").read()
      text = data[:4096] + data[-4096:] + len(data).to_bytes(8, "big")
      print(hashlib.sha256(text).hexdigest()[:32], end="")
      """
    #expect(
      try FileHash.of(Bytes(content)) == Command.output(["python3", "-c", script, path]))
  }

  @Test func `the GNU build id is found among notes without a file`() throws {
    // elf.h's Elf64_Nhdr: lengths of name and content, type; NT_GNU_BUILD_ID is 3, Go's own is 4.
    let gnu = words(4, 4, 3) + Array("GNU\0".utf8) + [0xab, 0xcd, 0xef, 0x01]
    let go = words(3, 8, 4) + Array("Go\0\0".utf8) + Array("abc/defg".utf8)
    #expect(try ELFFile.buildID(inNotes: Bytes(go + gnu)) == "abcdef01")
    #expect(try ELFFile.buildID(inNotes: Bytes(go)) == nil)
    #expect(throws: EBPFError.self) { try ELFFile.buildID(inNotes: Bytes(Array(gnu.dropLast()))) }
  }

  private func words(_ values: UInt32...) -> [UInt8] {
    values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) } }
  }
}
