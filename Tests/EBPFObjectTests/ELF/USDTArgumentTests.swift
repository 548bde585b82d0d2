@testable import EBPFObject
import Testing

@Suite struct USDTArgumentTests {
  static func parse(
    _ text: String, machine: UInt16 = ELFFile.Machine.x86_64
  ) throws(EBPFError) -> [USDTArgument] {
    let probe = USDTProbe(
      provider: "p", name: "n", arguments: text, address: 0, semaphore: 0, recordedAddress: 0,
      recordedBase: 0)
    return try probe.parsedArguments(machine: machine)
  }

  @Test(arguments: [
    ("8@%rdi", 8, false, USDTArgument.Place.register(112)), ("-4@%r15d", 4, true, .register(0)),
    ("1@%sil", 1, false, .register(104)), ("-2@%ax", 2, true, .register(80)),
    ("8@%rsp", 8, false, .register(152)), ("-4@$-7", 4, true, .constant(-7)),
    ("8@$0x10", 8, false, .constant(16)),
    ("8@$18446744073709551615", 8, false, .constant(-1)),
    ("-4@-20(%rbp)", 4, true, .memory(register: 32, distance: -20)),
    ("8@(%rbx)", 8, false, .memory(register: 40, distance: 0)),
    ("8@8(%rdx,%rax,8)", 8, false, .indexed(register: 96, index: 80, shift: 3, distance: 8)),
    ("4@(%rsp,%r9)", 4, false, .indexed(register: 152, index: 64, shift: 0, distance: 0)),
  ])
  func `an argument is where the assembler says`(
    text: String, size: Int, isSigned: Bool, place: USDTArgument.Place
  ) throws {
    #expect(try Self.parse(text) == [USDTArgument(size: size, isSigned: isSigned, place: place)])
  }

  @Test func `arguments are in order, none is none`() throws {
    #expect(try Self.parse("").isEmpty)
    #expect(try Self.parse(" 8@%rdi  -4@$1 ").map(\.size) == [8, 4])
  }

  @Test(arguments: [
    ("8@x4", USDTArgument.Place.register(32)), ("-4@w30", .register(240)), ("8@sp", .register(248)),
    ("4@15", .constant(15)), ("-4@-3", .constant(-3)),
    ("8@[sp, 24]", .memory(register: 248, distance: 24)),
    ("4@[x29]", .memory(register: 232, distance: 0)),
    ("4@[x29, -8]", .memory(register: 232, distance: -8)),
  ])
  func `AArch64 writes them another way`(text: String, place: USDTArgument.Place) throws {
    let arguments = try Self.parse(text + " 8@x0", machine: ELFFile.Machine.aarch64)
    #expect(arguments.map(\.place) == [place, .register(0)])
  }

  @Test(arguments: [
    "8f@%xmm0", "3@%rdi", "8@", "@%rdi", "8", "8@%rip", "8@counter(%rip)", "8@(%rdi,%rsi,3)",
    "8@(%rdi", "8@%ah", "8@$", "8@$x", "8@(,%rax,8)", "9223372036854775808@$1",
  ])
  func `what a program cannot read is refused, with the words`(text: String) {
    let error = #expect(throws: EBPFError.self) { try Self.parse(text) }
    #expect(error?.code == .unsupported)
    #expect(error?.message == "the argument '\(text)' is where a BPF program cannot read it")
    #expect(error?.context.first == .other("probe", "p:n"))
  }

  @Test func `other machines are refused`() {
    #expect(throws: EBPFError.self) { try Self.parse("8@%r2", machine: ELFFile.Machine.s390) }
  }
}
