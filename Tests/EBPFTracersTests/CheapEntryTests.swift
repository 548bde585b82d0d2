import Testing

@testable import EBPFTracers

@Suite struct CheapEntryTests {
  @Test(arguments: [
    // test %rdi,%rdi; je …; push %rbp: Debian's free
    ([0x48, 0x85, 0xff, 0x0f, 0x84, 0xbf, 0, 0, 0, 0x55], 3),
    // endbr64; test %rdi,%rdi; je …: Ubuntu's free
    ([0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x85, 0xff, 0x74, 0x10], 7),
    // endbr64; push %rbp
    ([0xf3, 0x0f, 0x1e, 0xfa, 0x55], 4),
    // sub $0x18,%rsp; test %rdi,%rdi; je …
    ([0x48, 0x83, 0xec, 0x18, 0x48, 0x85, 0xff, 0x74, 0x10], 7),
    // push %r12
    ([0x41, 0x54, 0x55], 0),
    // push %rbp
    ([0x55, 0x48, 0x89, 0xe5], 0),
    // mov %rdi,%rbx is not walked over: what follows may change %rdi
    ([0x48, 0x89, 0xfb, 0x55], 0),
    // xor %edi,%edi destroys the argument
    ([0x31, 0xff, 0x55], 0),
    ([], 0), ([0xf3], 0), ([0xf3, 0x0f, 0x1e, 0xfa], 0), ([0x48, 0x83, 0xec], 0), ([0x41], 0),
    ([0x0f], 0),
  ])
  func `a probe goes to the first instruction the kernel emulates`(code: [UInt8], offset: Int) {
    #expect(CheapEntry.offset(in: code) == offset)
  }

  @Test func `no more than a prologue is walked over`() {
    let nops = [[UInt8]](repeating: [0x66, 0x90], count: 8).flatMap(\.self)
    #expect(CheapEntry.offset(in: nops + [0x55]) == 0)
  }
}
