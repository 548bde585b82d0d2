import EBPFObject
import TestSupport
import Testing

@Suite struct ELFNotesTests {
  @Test func `build ids are those that readelf prints`() throws {
    let files = MachineFiles.elfFiles(in: "/usr/bin").filter { $0.size < 1 << 20 }
    var count = 0
    for index in sample(files.count, 20) {
      let path = files[index].path
      let output = try Command.output(["readelf", "-nW", path])
      let line = output.split(separator: "\n").first { $0.contains("Build ID: ") }
      let expected = line.flatMap { $0.split(separator: " ").last }.map(String.init)
      #expect(try ELFFile(Bytes(contents(ofFile: path))).buildID == expected, "\(path)")
      count += expected == nil ? 0 : 1
    }
    #expect(count > 10)
  }

  @Test func `USDT probes are those that readelf prints`() throws {
    let directory = try TemporaryDirectory()
    let path = try Self.buildProbes(in: directory)
    let file = try ELFFile(Bytes(contents(ofFile: path)))
    let output = try Command.output(["readelf", "-nW", path])
    let probes = try file.usdtProbes()
    #expect(probes.map(\.name) == ["first", "second"])
    var printed = ""
    for probe in probes {
      #expect(probe.address == probe.recordedAddress)
      printed +=
        "Provider: \(probe.provider)\nName: \(probe.name)\nLocation: \(address(probe.address)), "
        + "Base: \(address(probe.recordedBase)), Semaphore: \(address(probe.semaphore))\n"
        + "Arguments: \(probe.arguments)\n"
    }
    let lines = output.split(separator: "\n").compactMap { line -> String? in
      for label in ["Provider: ", "Name: ", "Location: ", "Arguments: "] {
        if let range = line.ranges(of: label).first { return String(line[range.lowerBound...]) }
      }
      return nil
    }
    #expect(printed == lines.joined(separator: "\n") + "\n")
    let semaphore = try #require(file.section(named: ".probes"))
    #expect(
      file.fileOffset(ofAddress: probes[0].semaphore, executable: false) == semaphore.offset)
  }

  @Test func `a prelinked file's probes are moved with its code`() throws {
    let directory = try TemporaryDirectory()
    let path = try Self.buildProbes(in: directory)
    var bytes = try contents(ofFile: path)
    let file = try ELFFile(Bytes(bytes))
    let note = try #require(file.section(named: ".note.stapsdt"))
    // The second word of the first description is the base: as if linked 0x1000 lower.
    let place = Int(note.offset) + 12 + 8 + 8
    let base: UInt64 = try Bytes(bytes).load(at: place)
    for index in 0..<8 {
      bytes[place + index] = UInt8(truncatingIfNeeded: (base - 0x1000) >> UInt64(8 * index))
    }
    let moved = try ELFFile(Bytes(bytes)).usdtProbes()
    let original = try file.usdtProbes()
    #expect(moved[0].address == original[0].address + 0x1000)
    #expect(moved[0].semaphore == original[0].semaphore + 0x1000)
    #expect(moved[1] == original[1])
  }

  @Test func `a note that is longer than its section is an error that says where`() throws {
    let directory = try TemporaryDirectory()
    let source = try directory.write(
      ".section .note.bad,\"a\",%note\n.long 4, 100, 3\n.ascii \"GNU\\0\"\n", to: "bad.s")
    let object = directory.file("bad.o")
    _ = try Command.output(["clang", "-target", "bpf", "-c", source, "-o", object])
    let file = try ELFFile(Bytes(contents(ofFile: object)))
    let error = #expect(throws: EBPFError.self) { try file.buildID }
    #expect(
      error?.description == """
        malformed: a note has a name of 4 bytes and a content of 100, but only 4 bytes follow
          section      .note.bad
          offset       0x40
          hint         the file is damaged; build or copy it again
        """)
  }

  private func address(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// An executable with two probes, one with a semaphore; what `<sys/sdt.h>` would assemble.
  static func buildProbes(in directory: TemporaryDirectory) throws -> String {
    func note(_ label: String, _ semaphore: String, _ name: String, _ arguments: String) -> String {
      """
      .balign 4
      .4byte 2f-1f, 4f-3f, 3
      1: .asciz "stapsdt"
      2: .balign 4
      3: .8byte \(label), _.stapsdt.base, \(semaphore)
      .asciz "provider"
      .asciz "\(name)"
      .asciz "\(arguments)"
      4: .balign 4

      """
    }
    let source = """
      .text
      .globl main
      main:
      .Lfirst: nop
      ret
      .Lsecond: nop
      .section .note.stapsdt,"",%note
      \(note(".Lfirst", "semaphore", "first", "8@%rdi -4@$3"))
      \(note(".Lsecond", "0", "second", ""))
      .section .stapsdt.base,"aG",%progbits,.stapsdt.base,comdat
      .weak _.stapsdt.base
      .hidden _.stapsdt.base
      _.stapsdt.base: .space 1
      .section .probes,"aw",%progbits
      semaphore: .2byte 0

      """
    let path = try directory.write(source, to: "probes.s")
    let executable = directory.file("probes")
    _ = try Command.output(["clang", "-no-pie", path, "-o", executable])
    return executable
  }

  @Test func `the id that Go's linker gave is in a note of its own`() throws {
    let directory = try TemporaryDirectory()
    func id(_ owner: String) throws -> String? {
      let source = try directory.write(
        ".section .note.go.buildid,\"a\",%note\n.long 4, 9, 4\n.ascii \"\(owner)abc/def-1\"\n",
        to: "go.s")
      let object = directory.file("go.o")
      _ = try Command.output(["clang", "-target", "bpf", "-c", source, "-o", object])
      return try ELFFile(Bytes(contents(ofFile: object))).goBuildID
    }
    #expect(try id("Go\\0\\0") == "abc/def-1")
    #expect(try id("No\\0\\0") == nil)
  }
}
