import EBPF
import EBPFSystem

/// The object's own types in the kernel, and objects that need what one kernel has and the other has
/// not.
enum TypeChecks {
  static let all = [
    Check("this kernel's kinds of types are told apart") {
      var expected = BTFFeatures.all.subtracting(.layout)
      if Guest.isOld { expected.remove(.optionalSectionNames) }
      try equal(KernelFeatures.running.typeKinds, expected, "the kinds")
    },
    Check("types of the newer kinds are loaded, and none is replaced that the kernel takes") {
      let object = try Guest.object("newer_types")
      let loaded = try LoadedObject(object)
      try require(loaded.warnings.isEmpty, "\(loaded.warnings)")
      let program = try loaded.program("use")
      _ = try program.testRun()
      try equal(try loaded.variable("sum", as: Int64.self), 0x1234_5678_9ab - 5, "the sum")
      let kinds = try count(types(of: program))
      let ours = try count(require(object.btf, "the object has no BTF"))
      try equal(kinds, ours, "the kinds that the kernel holds")
      let newer: [BTFKind] = [.enumeration64, .typeTag, .declarationTag, .float]
      try require(newer.allSatisfy { kinds[$0] != nil }, "\(kinds)")
    },
    Check("a section name that the older kernel refuses is replaced there, and only there") {
      let loaded = try Guest.load("optional_section")
      try require(loaded.warnings.isEmpty, "\(loaded.warnings)")
      let program = try loaded.program("run")
      let held = try types(of: program)
      for (name, isKept) in [("?.struct_ops", !Guest.isOld), ("_.struct_ops", Guest.isOld)] {
        let id = try held.firstID(named: name, kind: .dataSection)
        try equal(id != nil, isKept, "the kernel holds \(name)")
      }
      _ = try program.testRun()
      try equal(try loaded.variable("ran", as: UInt32.self), 1, "ran")
    },
    Check("every object that this kernel can run is loaded without a warning") {
      var names = loadable
      // The field that core_arrays takes for open-ended is not the last one of its union in 6.1.
      if !Guest.isOld { names += ["core_arrays", "kfunc"] }
      for name in names {
        let loaded = try Guest.load(name)
        try require(loaded.warnings.isEmpty, "\(name): \(loaded.warnings)")
        try require(!loaded.programs.isEmpty, "\(name) has no programs")
        try require(loaded.unload().isEmpty, "\(name) leaves something behind")
      }
    },
    Check("a kernel function that this kernel lacks is named") {
      guard Guest.isOld else {
        let loaded = try Guest.load("kfunc")
        try loaded.setVariable("wanted", to: Int32(1))
        _ = try loaded.program("look_up").testRun()
        try equal(try loaded.variable("found_tgid", as: Int32.self), 1, "the first process")
        return
      }
      let error = try refusal { _ = try Guest.load("kfunc") }
      try require("\(error)".contains("bpf_task_from_pid"), "\(error)")
      try equal(error.code, .unresolved, "the code of \(error)")
    },
    Check("a rejected program is an error with the verifier's reason") {
      let error = try refusal { _ = try Guest.load("rejected") }
      try equal(error.code, .rejected, "the code")
      try require(
        error.message.hasPrefix("the verifier rejected the program: "), "\(error.message)")
      try require(error.verifierLog?.contains("processed ") == true, "the log is not complete")
    },
    Check("a log of more than a megabyte is fetched to its end") {
      let error = try refusal { _ = try Guest.load("rejected_long_log") }
      let log = error.verifierLog ?? ""
      try require(log.utf8.count > 1_000_000, "\(log.utf8.count) bytes")
      try require(log.contains("processed "), "the log is not complete")
      try equal(error.hint, nil, "the hint")
    },
    Check("a field the kernel lacks is named in a sentence") {
      let error = try refusal { _ = try Guest.load("core_poison") }
      try require(
        error.message.contains("struct task_struct.swift_ebpf_missing: no such field"),
        error.message)
    },
  ]

  private static let loadable = [
    "callbacks", "copies_map", "core_20_types", "core_2_types", "core_bitfields",
    "core_enums", "core_fields", "core_flavours", "core_matches", "core_missing",
    "core_size_change", "core_subprograms", "core_types", "count_kprobe", "count_kprobe_multi",
    "count_ksyscall", "count_lsm",
    "count_module", "count_raw_tp", "count_tp_btf", "count_tracepoint", "count_trampoline",
    "count_uprobe", "fentry", "globals", "iterator", "ksyms", "ksyms_typed", "legacy_maps",
    "locked_value", "map_in_map", "maps_btf", "many_programs", "newer_types", "no_license",
    "perf_event_count", "perfbuf_events", "prog_array", "ringbuf_batch", "ringbuf_events",
    "ringbuf_large",
    "ringbuf_value", "replaced", "stack_traces", "static_program", "subprograms",
  ]

  /// What the kernel holds as a program's types.
  private static func types(of program: Program) throws -> BTF {
    let id = try program.information().btfID
    try require(id != 0, "the program has no types")
    let descriptor = try LiveKernel().open(.btf, id: id, flags: 0)
    let data = try LiveKernel().btfInformation(descriptor.rawValue, withData: true).data
    return try BTF(parsing: Bytes(data))
  }

  private static func count(_ types: BTF) throws -> [BTFKind: Int] {
    var kinds: [BTFKind: Int] = [:]
    for id in 1..<types.typeCount { kinds[try types.type(id).kind, default: 0] += 1 }
    return kinds
  }
}
