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
}
