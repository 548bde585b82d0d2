import EBPFSystem
import TestSupport
import Testing

@Suite struct CPUSetTests {
  @Test(arguments: [
    ("0", [0]), ("0-3", [0, 1, 2, 3]), ("0-1,4,6-7\n", [0, 1, 4, 6, 7]), ("", []), ("5\n", [5]),
  ])
  func `a list is read`(text: String, cpus: [Int]) {
    #expect(CPUSet(parsing: text)?.cpus == cpus)
  }

  @Test(arguments: [
    "a", "-1", "3-1", "0-", "0,,1", "1,0", "0-2,2", "0-99999999", "+1", "0 1", "0-1-2", "65536",
  ])
  func `what is no list is nil`(text: String) {
    #expect(CPUSet(parsing: text) == nil)
  }

  @Test func `the online CPUs are as many as nproc says`() throws {
    let count = try Command.run(["nproc", "--all"]).output.split(separator: "\n").first
    #expect(try CPUSet.online().cpus.count <= CPUSet.possible().cpus.count)
    #expect(try CPUSet.online().cpus.count == count.flatMap { Int($0) })
  }
}

@Suite struct ProcessStatusTests {
  @Test func `a name with blanks, colons and parentheses is kept whole`() {
    let status = ProcessStatus(
      parsing: """
        Name:\ta b) c: d
        Tgid:\t12
        PPid:\t1
        Uid:\t1000\t0\t1000\t1000
        NStgid:\t12\t3
        VmRSS:\t    2048 kB
        Threads:\t4
        CapEff:\t000000c000000000
        Seccomp:\t2
        """)
    #expect(status.name == "a b) c: d")
    #expect(status.threadGroup == 12)
    #expect(status.parent == 1)
    #expect(status.effectiveUser == 0)
    #expect(status.namespaceIDs == [12, 3])
    #expect(status.residentBytes == 2 << 20)
    #expect(status.threads == 4)
    #expect(status.seccomp == 2)
    #expect(status.has(.bpf))
    #expect(status.has(.performanceMonitoring))
    #expect(!status.has(.systemAdministration))
  }

  @Test func `this process is who it says, and its capabilities are those that setpriv left`()
    throws
  {
    #expect(try ProcessStatus().threadGroup == CurrentProcess.id)
    let text = try Command.run([
      "setpriv", "--bounding-set=-all,+bpf,+perfmon", "cat", "/proc/self/status",
    ]).output
    let status = ProcessStatus(parsing: text)
    #expect(status.boundingCapabilities == 1 << 38 | 1 << 39)
  }
}

@Suite struct ClockTests {
  @Test func `a monotonic reading and its offset make the present wall-clock time`() {
    for clock in [Clock.monotonic, .boot] {
      let wall = Int64(clock.now) + clock.wallOffset
      #expect(abs(wall - Int64(Clock.wall.now)) < 1_000_000_000)
    }
    let monotonic = Clock.monotonic.now
    #expect(Clock.boot.now >= monotonic)
  }

  @Test func `the machine's names are those of uname`() throws {
    let names = try MachineNames.current()
    #expect(try Command.run(["uname", "-r"]).output == names.release + "\n")
    #expect(try Command.run(["uname", "-m"]).output == names.machine + "\n")
  }

  @Test func `the arguments are complete`() {
    #expect(CurrentProcess.arguments == CommandLine.arguments)
  }
}
