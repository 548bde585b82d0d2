internal import CBPFObjects
package import EBPF

/// The objects that are part of this library.
package enum EmbeddedObject {
  /// `cpu_profiler.bpf.o`, in place.
  package static var cpuProfiler: Bytes {
    let object = unsafe cbpf_cpu_profiler()
    // SAFETY: a constant of the executable, readable as long as the process lives.
    return unsafe Bytes(owner: nil, start: object.bytes, count: object.size)
  }

  /// `wall_profiler.bpf.o`, in place.
  package static var wallProfiler: Bytes {
    let object = unsafe cbpf_wall_profiler()
    // SAFETY: a constant of the executable, readable as long as the process lives.
    return unsafe Bytes(owner: nil, start: object.bytes, count: object.size)
  }

  /// `memory.bpf.o`, in place.
  package static var memory: Bytes {
    let object = unsafe cbpf_memory()
    // SAFETY: a constant of the executable, readable as long as the process lives.
    return unsafe Bytes(owner: nil, start: object.bytes, count: object.size)
  }

  /// `memory_walking.bpf.o`, in place.
  package static var memoryWalking: Bytes {
    let object = unsafe cbpf_memory_walking()
    // SAFETY: a constant of the executable, readable as long as the process lives.
    return unsafe Bytes(owner: nil, start: object.bytes, count: object.size)
  }

  /// `syscall_tracer.bpf.o`, in place.
  package static var syscallTracer: Bytes {
    let object = unsafe cbpf_syscall_tracer()
    // SAFETY: a constant of the executable, readable as long as the process lives.
    return unsafe Bytes(owner: nil, start: object.bytes, count: object.size)
  }

  /// `network_tracer.bpf.o`, in place.
  package static var networkTracer: Bytes {
    let object = unsafe cbpf_network_tracer()
    // SAFETY: a constant of the executable, readable as long as the process lives.
    return unsafe Bytes(owner: nil, start: object.bytes, count: object.size)
  }

  /// `process_tracer.bpf.o`, in place.
  package static var processTracer: Bytes {
    let object = unsafe cbpf_process_tracer()
    // SAFETY: a constant of the executable, readable as long as the process lives.
    return unsafe Bytes(owner: nil, start: object.bytes, count: object.size)
  }

  /// `process_following.bpf.o`, in place.
  package static var processFollowing: Bytes {
    let object = unsafe cbpf_process_following()
    // SAFETY: a constant of the executable, readable as long as the process lives.
    return unsafe Bytes(owner: nil, start: object.bytes, count: object.size)
  }

  /// `process_numbers.bpf.o`, in place.
  package static var processNumbers: Bytes {
    let object = unsafe cbpf_process_numbers()
    // SAFETY: a constant of the executable, readable as long as the process lives.
    return unsafe Bytes(owner: nil, start: object.bytes, count: object.size)
  }
}
