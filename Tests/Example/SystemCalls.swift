import EBPF

/// `struct event_record` of ringbuf_events.bpf.c.
struct Record: BitwiseCopyable {
  var sequence, time: UInt64
  var cpu, process, thread, systemCall: UInt32
}

@main struct SystemCalls {
  static func main() async throws {
    let arguments = CommandLine.arguments  // an object, a process id
    let object = try LoadedObject(try ObjectFile(path: arguments[1]))
    try object.setVariable("target_tgid", to: UInt32(arguments[2]) ?? 0)
    let link = try object.program("send_event").attachBySection()
    let ring = try RingBuffer(try object.map("events"))
    for try await record in try ring.batches(of: Record.self).records.prefix(5) {
      print("cpu \(record.cpu): thread \(record.thread) makes system call \(record.systemCall)")
    }
    try link.detach()
  }
}
