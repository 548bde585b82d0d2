@testable import EBPF
@testable import EBPFObject
import Testing

@Suite struct KernelConfigurationTests {
  let configuration = KernelConfiguration(
    parsing: Array(
      """
      #
      # Automatically generated file; DO NOT EDIT.
      CONFIG_A=y
      CONFIG_AB=m
      # CONFIG_NO is not set
      # CONFIG_NOT is mentioned
      CONFIG_HEX=0x1000000
      CONFIG_INT=-1
      CONFIG_TEXT="a \\"b\\" \\\\ c"
      CONFIG_ODD=maybe
      CONFIG_LAST=17
      """.utf8), path: "config")

  @Test func `values of every kind are decoded`() throws {
    #expect(try configuration.value(of: "CONFIG_A") == .yes)
    #expect(try configuration.value(of: "CONFIG_AB") == .module)
    #expect(try configuration.value(of: "CONFIG_NO") == .no)
    #expect(try configuration.value(of: "CONFIG_HEX") == .number(0x100_0000))
    #expect(try configuration.value(of: "CONFIG_INT") == .number(.max))
    #expect(try configuration.value(of: "CONFIG_TEXT") == .text("a \"b\" \\ c"))
    #expect(try configuration.value(of: "CONFIG_LAST") == .number(17))
    #expect(try configuration.value(of: "CONFIG_NOT") == nil)
    #expect(try configuration.value(of: "CONFIG_") == nil)
  }

  @Test func `what is no value is an error that shows the line`() throws {
    let error = try #require(throws: EBPFError.self) {
      _ = try configuration.value(of: "CONFIG_ODD")
    }
    #expect(error.message == "'CONFIG_ODD=maybe' is not an option's value")
    #expect(error.context == [.file("config")])
  }

  @Test func `a variable gets the bytes of its type, or a reason why not`() throws {
    typealias Kind = ConfigurationVariable.Kind
    func bytes(_ value: KernelConfiguration.Value, _ kind: Kind, _ size: UInt32) throws -> [UInt8] {
      try ConfigurationSource.encode(
        value,
        for: ConfigurationVariable(
          name: "CONFIG_X", offset: 0, size: size, kind: kind, isWeak: false))
    }
    #expect(try bytes(.yes, .boolean, 1) == [1])
    #expect(try bytes(.module, .tristate, 4) == [2, 0, 0, 0])
    #expect(try bytes(.module, .character, 1) == [UInt8(ascii: "m")])
    #expect(try bytes(.number(300), .integer(isSigned: false), 2) == [44, 1])
    #expect(try bytes(.number(.max), .integer(isSigned: true), 2) == [255, 255])
    #expect(try bytes(.text("abcdef"), .string, 4) == [97, 98, 99, 0])
    #expect(throws: EBPFError.self) { try bytes(.module, .boolean, 1) }
    #expect(throws: EBPFError.self) { try bytes(.number(65_536), .integer(isSigned: false), 2) }
    #expect(throws: EBPFError.self) { try bytes(.number(32_768), .integer(isSigned: true), 2) }
    #expect(throws: EBPFError.self) { try bytes(.text("x"), .integer(isSigned: true), 4) }
    #expect(throws: EBPFError.self) { try bytes(.yes, .integer(isSigned: true), 4) }
  }
}

@Suite struct NearNamesTests {
  @Test func `the nearest come first, and the far are left out`() {
    let names = ["malloc", "calloc", "free", "__libc_malloc", "maloc"]
    #expect(NearNames.nearest(to: "mallok", in: names) == ["malloc", "calloc", "maloc"])
    #expect(NearNames.hint(for: "fre", in: names) == "did you mean 'free'?")
    #expect(NearNames.hint(for: "zzzzzz", in: names) == nil)
    #expect(NearNames.hint(for: "", in: names) == nil)
  }
}
