import EBPFObject
import Testing

@testable import EBPFTracers

@Suite struct TracerStateMachineTests {
  private func running(since time: UInt64) throws -> TracerStateMachine {
    var machine = TracerStateMachine()
    try machine.start()
    machine.didStart(at: time)
    return machine
  }

  private func refusal(_ body: () throws(EBPFError) -> Void) -> String? {
    do throws(EBPFError) { try body() } catch {
      #expect(error.code == .invalidState)
      return error.message
    }
    return nil
  }

  @Test func `paused time is not recorded time`() throws {
    var machine = try running(since: 100)
    try machine.pause(at: 150)
    #expect(machine.recorded(at: 900) == 50)
    try machine.resume(at: 1_000)
    #expect(machine.recorded(at: 1_030) == 80)
    try machine.stop(at: 1_050)
    #expect(machine.recorded(at: 9_999) == 100)
  }

  @Test func `a tracer can be stopped while paused`() throws {
    var machine = try running(since: 0)
    try machine.pause(at: 7)
    try machine.stop(at: 100)
    machine.didStop()
    #expect(machine.state == .stopped)
    #expect(machine.recorded(at: 200) == 7)
  }

  @Test func `starting twice is refused`() throws {
    var machine = try running(since: 0)
    #expect(
      refusal { () throws(EBPFError) in try machine.start() }
        == "cannot start a tracer that is running")
  }

  @Test func `a failed start may be tried again`() throws {
    var machine = TracerStateMachine()
    try machine.start()
    machine.didFailToStart()
    try machine.start()
    #expect(machine.state == .starting)
  }

  @Test func `requests out of order are refused by name`() throws {
    var idle = TracerStateMachine()
    #expect(
      refusal { () throws(EBPFError) in try idle.pause(at: 0) }
        == "cannot pause a tracer that is not started")
    #expect(
      refusal { () throws(EBPFError) in try idle.stop(at: 0) }
        == "cannot stop a tracer that is not started")
    var machine = try running(since: 0)
    #expect(
      refusal { () throws(EBPFError) in try machine.resume(at: 0) }
        == "cannot resume a tracer that is running")
    try machine.stop(at: 1)
    machine.didStop()
    #expect(
      refusal { () throws(EBPFError) in try machine.start() }
        == "cannot start a tracer that is stopped")
    #expect(
      refusal { () throws(EBPFError) in try machine.stop(at: 2) }
        == "cannot stop a tracer that is stopped")
  }

  @Test func `a clock that steps back records nothing instead of trapping`() throws {
    var machine = try running(since: 500)
    try machine.stop(at: 400)
    #expect(machine.recorded(at: 0) == 0)
  }
}
