import EBPF
import EBPFSystem
import Testing

@testable import EBPFTracers

/// Threads and waits, added up.
@Suite struct WallLedgerTests {
  private func bytes(_ event: WallThreadEvent) -> [UInt8] {
    BitwiseBytes.read(event, byteCount: MemoryLayout<WallThreadEvent>.stride) {
      BitwiseBytes.array($0)
    }
  }

  private func ended(_ thread: UInt32, process: UInt32 = 7, running: UInt64 = 5) -> WallThreadEvent
  {
    var event = WallThreadEvent()
    event.kind = 5
    event.flags = WallThreadEvent.Flags.ended
    event.threadID = thread
    event.process.processID = process
    event.command = CommandName("worker")
    event.record.times[Int(ThreadState.running.rawValue)] = running
    event.record.state = WallThreadEvent.dead
    event.record.left = 1
    return event
  }

  @Test func `a record cut short is refused`() {
    var ledger = WallLedger()
    let whole = bytes(ended(8))
    for length in 0..<whole.count {
      let cut = Array(whole[..<length])
      let isTaken = ledger.addEnded(cut.span.rawBytes)
      #expect(!isTaken)
    }
    let isTaken = ledger.addEnded(whole.span.rawBytes)
    #expect(isTaken)
    #expect(ledger.threads.count == 1)
  }

  @Test func `a thread that ended and that nobody has waited for counts once`() {
    var ledger = WallLedger()
    let event = bytes(ended(8))
    let isTaken = ledger.addEnded(event.span.rawBytes)
    #expect(isTaken)
    ledger.addLiving(event, end: 100, configuration: WallProfilerConfiguration())
    #expect(ledger.threads.values.map(\.running) == [5])
    #expect(ledger.waits.isEmpty)
  }

  @Test func `more threads than can be told apart stay in the sums of their processes`() {
    var ledger = WallLedger()
    let all = UInt32(WallLedger.threadLimit) + 1000
    for thread in 1...all {
      let event = bytes(ended(thread))
      if !ledger.addEnded(event.span.rawBytes) { Issue.record("refused: \(thread)") }
    }
    #expect(ledger.threads.count == WallLedger.threadLimit + 1)
    #expect(ledger.threads.values.reduce(0) { $0 + $1.running } == 5 * UInt64(all))
    let sums = ThreadTimes.byProcess(Array(ledger.threads.values))
    #expect(sums.map(\.process) == [7])
    #expect(sums[0].running == 5 * UInt64(all))
  }

  @Test func `a wait shorter than asked for keeps its time and loses its stacks`() {
    var configuration = WallProfilerConfiguration()
    configuration.minimumWait = 50
    var event = WallThreadEvent()
    event.flags = WallThreadEvent.Flags.wanted
    event.threadID = 9
    event.process.processID = 9
    event.record.left = 60
    event.record.state = ThreadState.sleeping.rawValue
    event.record.userStack = StackID(low: 1, high: 2)
    var ledger = WallLedger()
    ledger.addLiving(bytes(event), end: 100, configuration: configuration)
    #expect(ledger.threads.values.first?.blocked == 40)
    let key = ledger.waits.keys.first
    #expect(key?.userStack.isNone == true)
    #expect(key.map { $0.flags & ProfilerKey.Flags.waitIsShort != 0 } == true)
  }

  @Test func `a wait that somebody ended is kept with who it was, and one that goes on is not`() {
    var event = WallThreadEvent()
    event.flags = WallThreadEvent.Flags.wanted
    event.threadID = 9
    event.process.processID = 9
    event.record.left = 10
    event.record.woken = 40
    event.record.arrived = 60
    event.record.state = ThreadState.sleeping.rawValue
    event.record.waker.process.processID = 5
    event.record.waker.flags = ProfilerKey.Flags.isWaker
    var ledger = WallLedger()
    ledger.addLiving(bytes(event), end: 100, configuration: WallProfilerConfiguration())
    #expect(ledger.wakes.map(\.value) == [WaitTotal(nanoseconds: 30, count: 1)])
    #expect(ledger.wakes.keys.first?.waker.process.processID == 5)
    #expect(ledger.waits.map(\.value) == [WaitTotal(nanoseconds: 20, count: 1)])
    #expect(ledger.waits.keys.first?.threadState == .woken)

    event.record.arrived = 0
    event.record.woken = 0
    event.record.waker.flags = 0
    ledger = WallLedger()
    ledger.addLiving(bytes(event), end: 100, configuration: WallProfilerConfiguration())
    #expect(ledger.wakes.isEmpty)
    #expect(ledger.waits.map(\.value) == [WaitTotal(nanoseconds: 90, count: 1)])
  }

  @Test func `a wake-up cut short is refused, and a whole one is added`() {
    var key = WakeKey()
    key.blocked.process.processID = 7
    key.waker.command = CommandName("waker")
    let words: [UInt64] = [6, 250]
    let record =
      words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
      + BitwiseBytes.read(key, byteCount: MemoryLayout<WakeKey>.stride) { BitwiseBytes.array($0) }
    var ledger = WallLedger()
    for length in 0..<record.count {
      let cut = Array(record[..<length])
      let isTaken = ledger.addWake(cut.span.rawBytes)
      #expect(!isTaken)
    }
    for _ in 0..<2 {
      let isTaken = ledger.addWake(record.span.rawBytes)
      #expect(isTaken)
    }
    #expect(ledger.wakes == [key: WaitTotal(nanoseconds: 500, count: 2)])
  }
}
