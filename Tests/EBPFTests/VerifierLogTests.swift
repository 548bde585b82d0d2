@testable import EBPF
import Testing

@Suite struct VerifierLogTests {
  static let plain = """
    0: R1=ctx() R10=fp0
    ; return value[index]; @ sample.bpf.c:21
    0: (b7) r0 = 0                        ; R0_w=0
    1: (0f) r0 += r1
    R0 pointer arithmetic prohibited
    processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0

    """

  @Test func `the reason is the sentence after the last instruction`() {
    let log = VerifierLog(Self.plain)
    #expect(log.reasons == ["R0 pointer arithmetic prohibited"])
    #expect(log.instruction == "1: (0f) r0 += r1")
    #expect(log.source == "return value[index]; @ sample.bpf.c:21")
    #expect(log.processedInstructions == 2)
    #expect(log.summary == "R0 pointer arithmetic prohibited (at 1: (0f) r0 += r1)")
    #expect(
      log.description == """
        R0 pointer arithmetic prohibited (at 1: (0f) r0 += r1)
        source: return value[index]; @ sample.bpf.c:21
        3 more lines in the verifier's log
        """)
  }

  @Test func `a planted call is explained, and only that`() {
    let text = """
      11: (b7) r1 = 0
      12: (85) call unknown#195896080
      invalid func unknown#195896080
      processed 13 insns (limit 1000000)
      """
    let log = VerifierLog(text, sentences: [12: "field 'a' is missing"])
    #expect(log.summary == "field 'a' is missing")
    let other = VerifierLog(text, sentences: [11: "field 'a' is missing"])
    #expect(other.reasons == ["invalid func unknown#195896080"])
  }

  @Test func `the sectioned format of newer kernels is read`() {
    let text = """
      0: (b7) r0 = 0
      Verification failed: invalid access
      Reason: R1 is a scalar
      At: sample.bpf.c:3
      Suggestion: check the pointer
      1: (95) exit
      processed 2 insns (limit 1000000)
      """
    #expect(
      VerifierLog(text).reasons == [
        "Verification failed: invalid access", "Reason: R1 is a scalar", "At: sample.bpf.c:3",
        "Suggestion: check the pointer",
      ])
  }

  @Test func `register states are not reasons`() {
    let text = """
      from 3 to 7: R0=inv(id=0) R10=fp0
      7: R0=scalar() R10=fp0
      7: (61) r1 = *(u32 *)(r0 +0)
      mark_precise: frame0: last_idx 7 first_idx 0
      R0 invalid mem access 'scalar'
      """
    let log = VerifierLog(text, isComplete: false)
    #expect(log.reasons == ["R0 invalid mem access 'scalar'"])
    #expect(log.processedInstructions == nil)
    #expect(log.description.hasSuffix("the log is cut off: the kernel had more to say"))
  }

  @Test func `nothing is made of nothing`() {
    #expect(VerifierLog("").summary == "the verifier gave no reason")
    #expect(VerifierLog("0: (95) exit\n").summary == "the verifier's log ends without a reason")
  }

  @Test func `a verifier that looked at nothing did not refuse`() {
    #expect(VerifierLog("processed 0 insns (limit 1000000) max_states_per_insn 0\n").isOfNothing)
    #expect(!VerifierLog("unknown func\nprocessed 0 insns (limit 1000000)\n").isOfNothing)
    #expect(!VerifierLog("0: (95) exit\nprocessed 1 insns (limit 1000000)\n").isOfNothing)
    #expect(!VerifierLog("").isOfNothing)
  }
}
