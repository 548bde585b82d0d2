import EBPFObject
import EBPFSystem
import Testing

/// Each command once, on the running kernel, with the structures of `CEBPF`.
@Suite struct LiveKernelTests {
  let kernel = LiveKernel()

  private func array(_ entries: UInt32) throws -> OwnedDescriptor {
    var request = MapRequest(type: 2)
    request.keySize = 4
    request.valueSize = 8
    request.maxEntries = entries
    request.name = "live kernel-test"
    return try kernel.createMap(request)
  }

  @Test func `a map has the sizes it was asked for, and its name in the kernel's letters`() throws {
    let map = try array(3)
    let information = try kernel.mapInformation(map.rawValue)
    #expect(information.type == 2)
    #expect(information.keySize == 4)
    #expect(information.valueSize == 8)
    #expect(information.maxEntries == 3)
    #expect(information.name == "live_kernel_tes")
    let again = try kernel.open(.map, id: information.id, flags: 0)
    #expect(try kernel.mapInformation(again.rawValue) == information)
  }

  @Test func `a value written is the value read`() throws {
    let map = try array(3)
    try BitwiseBytes.read(UInt32(2)) { key throws(Errno) in
      try BitwiseBytes.read(UInt64(0x1122_3344_5566_7788)) { value throws(Errno) in
        try kernel.update(map: map.rawValue, key: key, value: value, flags: 0)
      }
    }
    let found = try BitwiseBytes.read(UInt32(2)) { key throws(Errno) in
      try BitwiseBytes.fill(UInt64.self) { value throws(Errno) in
        try kernel.lookup(map: map.rawValue, key: key, value: &value, flags: 0)
        return true
      }
    }
    #expect(found == 0x1122_3344_5566_7788)
  }

  @Test func `a program of two instructions loads, runs and is described`() throws {
    let descriptor = try loadReturning(7)
    var run = TestRun()
    run.input = [UInt8](repeating: 0, count: 64)
    try kernel.run(program: descriptor.rawValue, &run)
    #expect(run.returnValue == 7)
    let details: ProgramDetails = [.maps, .translated, .machineCode, .symbols]
    let information = try kernel.programInformation(descriptor.rawValue, details: details)
    #expect(information.type == 1)
    #expect(information.name == "returns")
    #expect(information.tag.count == 16)
    #expect(information.translated.count == 16)
    #expect(information.mapIDs.isEmpty)
    #expect(information.machineCode.count == Int(information.machineCodeSize))
    #expect(information.symbols.count == 1)
  }

  private func loadReturning(_ value: Int32) throws(Errno) -> OwnedDescriptor {
    var request = ProgramRequest(type: 1)
    request.name = "returns"
    request.license = "GPL"
    var log = KernelLog.none
    return try kernel.loadProgram(
      request,
      instructions: [Instruction(opcode: 0xb7, immediate: value), Instruction(opcode: 0x95)],
      log: &log)
  }

  @Test func `a rejected program leaves the verifier's log, and its needed size when cut`() throws {
    var request = ProgramRequest(type: 1)
    request.license = "GPL"
    // r0 is never set.
    let instructions = [Instruction(opcode: 0x95)]
    var log = KernelLog(level: 1)
    #expect(throws: Errno.accessDenied) {
      _ = try kernel.loadProgram(request, instructions: instructions, log: &log)
    }
    #expect(log.text.contains("R0 !read_ok"))
    if try KernelVersion(release: MachineNames.current().release) >= KernelVersion(6, 4) {
      #expect(log.neededCapacity == UInt32(log.text.utf8.count + 1))
    }
  }

  @Test func `a raw tracepoint link names its tracepoint and its program`() throws {
    var request = ProgramRequest(type: 17)
    request.license = "GPL"
    var log = KernelLog.none
    let program = try kernel.loadProgram(
      request, instructions: [Instruction(opcode: 0xb7), Instruction(opcode: 0x95)], log: &log)
    let link = try kernel.openRawTracepoint("sys_enter", program: program.rawValue, cookie: 0)
    let information = try kernel.linkInformation(link.rawValue)
    #expect(information.type == 1)
    #expect(information.name == "sys_enter")
    let programInformation = try kernel.programInformation(program.rawValue, details: [])
    #expect(information.programID == programInformation.id)
    let query = try kernel.queryDescriptor(
      process: try processID(), descriptor: link.rawValue)
    #expect(query.name == "sys_enter")
    #expect(query.programID == information.programID)
  }

  private func processID() throws -> Int32 {
    try #require(Int32(FileSystem.link("/proc/self")))
  }

  @Test func `the kernel's own BTF is among the BTF objects`() throws {
    var id: UInt32 = 0
    var names: [String] = []
    while let next = try kernel.nextID(.btf, after: id) {
      id = next
      let btf = try kernel.open(.btf, id: id, flags: 0)
      let information = try kernel.btfInformation(btf.rawValue, withData: false)
      if information.isKernel { names.append(information.name) }
    }
    #expect(names.contains("vmlinux"))
  }

  @Test func `a clock event of this process can be opened, re-rated and closed`() throws {
    var request = PerfEventRequest(type: 1, config: 0)
    request.period = 99
    request.flags = [.frequency, .disabled]
    let event = try kernel.openPerfEvent(request, process: 0, cpu: -1, flags: 0)
    try kernel.control(perfEvent: event.rawValue, .enable)
    try kernel.control(perfEvent: event.rawValue, .setPeriod(1_000_000))
    try kernel.control(perfEvent: event.rawValue, .disable)
  }
}
