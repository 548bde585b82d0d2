import EBPF
import EBPFSystem
import Testing

@testable import EBPFTracers

/// What the kernel's records of processes mean, without a kernel.
@Suite struct ProcessLedgerTests {
  private func ledger(
    limit: Int = 100, isThere: @escaping @Sendable (Int32) -> Bool = { _ in true }
  ) -> ProcessLedger {
    ProcessLedger(since: 1000, limit: limit, keepsArguments: true, isThere: isThere)
  }

  private func record(
    _ what: UInt32, _ process: UInt32, start: UInt64, at time: UInt64, status: UInt32 = 0,
    flags: UInt32 = 0
  ) throws -> ProcessRecord {
    var header = ProcessRecordHeader()
    header.what = what
    header.process = process
    header.start = start
    header.time = time
    header.status = status
    header.flags = flags
    header.command = CommandName("name")
    let bytes = BitwiseBytes.read(header) { BitwiseBytes.array($0) }
    let record = ProcessRecord(record: bytes.span.bytes)
    return try #require(record)
  }

  private func began(_ process: UInt32, start: UInt64, at time: UInt64) throws -> ProcessRecord {
    try record(ProcessRecordHeader.What.began, process, start: start, at: time)
  }

  private func ended(
    _ process: UInt32, start: UInt64, at time: UInt64, status: UInt32 = 0, flags: UInt32 = 0
  ) throws -> ProcessRecord {
    try record(
      ProcessRecordHeader.What.ended, process, start: start, at: time, status: status, flags: flags)
  }

  private func take(_ record: ProcessRecord, _ ledger: inout ProcessLedger) -> [ProcessEvent] {
    var events: [ProcessEvent] = []
    ledger.take(record) { events.append($0) }
    return events
  }

  private func run(_ event: ProcessEvent?) throws -> ProcessRun {
    switch try #require(event) {
    case .began(let run), .ended(let run): run
    }
  }

  @Test func `an end finds its beginning`() throws {
    var ledger = ledger()
    let begin = take(try began(7, start: 1100, at: 1200), &ledger)
    let running = try run(begin.first)
    #expect(begin == [.began(running)] && ledger.programs == [running])
    let end = take(try ended(7, start: 1100, at: 1500, status: 3 << 8), &ledger)
    let whole = try run(end.first)
    #expect(end == [.ended(whole)] && whole.origin == .executed)
    #expect(whole.start == 1200 && whole.end == 1500 && whole.nanoseconds == 300)
    #expect(whole.ending == .exited(3) && ledger.programs.isEmpty)
  }

  @Test func `another program of the same process ends the one before`() throws {
    var ledger = ledger()
    _ = take(try began(7, start: 1100, at: 1200), &ledger)
    let events = take(try began(7, start: 1100, at: 1300), &ledger)
    #expect(events.count == 2 && ledger.programs.count == 1)
    let first = try run(events.first)
    #expect(events.first == .ended(first) && first.ending == .replaced && first.end == 1300)
    #expect(try run(events.last).start == 1300 && ledger.unended == 0)
  }

  @Test func `a number that is used again is another process`() throws {
    var ledger = ledger()
    _ = take(try began(7, start: 1100, at: 1200), &ledger)
    let events = take(try ended(7, start: 5000, at: 6000), &ledger)
    #expect(try run(events.first).origin == .unknown && ledger.unended == 1)
    #expect(ledger.programs.isEmpty)
  }

  @Test func `an end without a beginning says why it has none`() throws {
    var ledger = ledger()
    let copy = ProcessRecordHeader.Flags.neverExecuted
    func origin(_ record: ProcessRecord) throws -> ProcessRun.Origin {
      try run(take(record, &ledger).first).origin
    }
    #expect(try origin(ended(1, start: 999, at: 2000)) == .existing)
    #expect(try origin(ended(2, start: 999, at: 2000, flags: copy)) == .existing)
    #expect(try origin(ended(3, start: 1000, at: 2000, flags: copy)) == .forked)
    #expect(try origin(ended(4, start: 1000, at: 2000)) == .unknown)
    let whole = try run(take(ended(5, start: 1000, at: 2000), &ledger).first)
    #expect(whole.start == 1000 && whole.nanoseconds == 1000)
  }

  @Test func `what has no room is counted, and room is made of processes that are gone`() throws {
    var ledger = ledger(limit: 16, isThere: { $0 < 8 })
    for process in 0..<16 as Range<UInt32> {
      _ = take(try began(process, start: 1100, at: 1200), &ledger)
    }
    #expect(ledger.programs.count == 16)
    _ = take(try began(0x100, start: 1100, at: 1200), &ledger)
    #expect(ledger.programs.count == 9 && ledger.unended == 8 && ledger.untracked == 0)
    var full = self.ledger(limit: 16)
    for process in 0..<1000 as Range<UInt32> {
      #expect(take(try began(process, start: 1100, at: 1200), &full).count == 1)
    }
    #expect(full.programs.count == 16 && full.untracked == 984 && full.unended == 0)
  }

  @Test func `endings are what wait says`() {
    typealias Ending = ProcessRun.Ending
    #expect(Ending(status: 0) == .exited(0) && !Ending.exited(0).isFailure)
    #expect(Ending(status: 0xff00) == .exited(255) && Ending.exited(255).isFailure)
    #expect(Ending(status: 9) == .killed(signal: 9, dumpsCore: false))
    #expect(Ending(status: 0x8b) == .killed(signal: 11, dumpsCore: true))
    #expect(Ending(status: 0x8b).signalName == "SIGSEGV" && Ending(status: 0x8b).isFailure)
    #expect(Ending.killed(signal: 34, dumpsCore: false).signalName == "SIGRT34")
    #expect(Ending.exited(1).signalName == nil && !Ending.replaced.isFailure)
  }
}
