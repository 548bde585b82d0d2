import EBPF
import EBPFSystem
import TestSupport

/// Programs that take the place of functions of other programs, or trace them.
enum ReplacementChecks {
  static let all = [
    Check("freplace changes what a program returns, for as long as it is attached") {
      let target = try Guest.load("replaced")
      let program = try target.program("run")
      try equal(try result(program), 42, "before")
      let object = try replacement(of: .program(program))
      try equal(try result(program), 42, "loaded")
      let replacing = try object.program("new_answer")
      let link = try replacing.attachBySection()
      try equal(link.mechanism, .tracingLink, "the way")
      try equal(link.place, "freplace answer", "the place")
      try equal(try result(program), 82, "attached")
      try equal(try object.variable("calls", as: UInt64.self), 1, "calls")
      let busy = try refusal {
        let other = try replacement(of: .program(program)).program("new_answer").attachBySection()
        try other.detach()
      }
      try equal(
        busy, .exists, "the function 'answer' is replaced, or traced, already", errno: "EBUSY")
      try link.detach()
      try equal(try result(program), 42, "detached")
      // Once more, and then in a program that was not there when it was loaded.
      let again = try refusal {
        let link = try replacing.attachBySection()
        try link.detach()
      }
      try equal(
        again, .unsupported, "the program cannot replace 'answer' once more", errno: "EINVAL")
      let second = try replacing.attach(.function("answer", of: .program(program)))
      try equal(try result(program), 82, "attached again")
      try second.detach()
      let elsewhere = try Guest.load("replaced").program("run")
      let third = try replacing.attach(.function("answer", of: .program(elsewhere)))
      try equal(try result(elsewhere), 82, "another program")
      try equal(try result(program), 42, "the first one")
      try third.detach()
    },
    Check("freplace finds its target by id, by a pin, and in its own object") {
      let target = try Guest.load("replaced")
      let program = try target.program("run")
      let path = "/sys/fs/bpf/replaced_run"
      try program.pin(to: path)
      defer {
        do { try Pinning.unpin(path) } catch { print("# \(error)") }
      }
      for place in [TargetProgram.id(program.id), .pinned(path)] {
        let link = try replacement(of: place).program("new_answer").attachBySection()
        try equal(try result(program), 82, "\(place)")
        try link.detach()
      }
      var options = LoadOptions()
      options.programs = ["own_other", "untouched"]
      options.setAttachTarget(of: "own_other", to: .sameObject("untouched"))
      let both = try LoadedObject(try Guest.object("replaced"), options: options)
      try equal(try result(both.program("untouched")), 5, "before")
      let link = try both.program("own_other").attachBySection()
      try equal(try result(both.program("untouched")), 102, "replaced by its own object")
      try link.detach()
    },
    Check("fexit on a function of a program sees each argument and result") {
      let program = try Guest.load("replaced").program("run")
      var options = LoadOptions()
      options.programs = ["watch_answer"]
      options.setAttachTarget(of: "watch_answer", to: .program(program))
      let object = try LoadedObject(try Guest.object("replacement"), options: options)
      let link = try object.program("watch_answer").attachBySection()
      for _ in 0..<10 { try equal(try result(program), 42, "the result") }
      try equal(try object.variable("questions", as: UInt64.self), 410, "questions")
      try equal(try object.variable("answers", as: UInt64.self), 420, "answers")
      try link.detach()
    },
    Check("what cannot be replaced is refused before the kernel is asked, with what there is") {
      let program = try Guest.load("replaced").program("run")
      func refused(_ function: String?, of target: TargetProgram) throws -> EBPFError {
        try refusal { _ = try replacement(of: target, function: function) }
      }
      let near = try refused("anser", of: .program(program))
      try equal(
        near, .notFound, "program 'run' has no function 'anser'", hint: "did you mean 'answer'?")
      // A function of another program of the same object.
      let foreign = try refused("other", of: .program(program))
      try equal(
        foreign, .notFound, "program 'run' has no function 'other'",
        hint: "it has run, answer, inner")
      let hidden = try refused("inner", of: .program(program))
      try equal(
        hidden, .unsupported,
        "'inner' of program 'run' is a static function, which cannot be replaced")
      let nobody = try refusal { _ = try Guest.load("replacement") }
      try equal(nobody, .invalidArgument, "which program has the function 'answer' is not said")
      var request = ProgramRequest(type: ProgramType.socketFilter.rawValue)
      request.license = "GPL"
      var log = KernelLog.none
      let bare = try LiveKernel().loadProgram(
        request, instructions: [Instruction(opcode: 0xb7), Instruction(opcode: 0x95)], log: &log)
      let id = try LiveKernel().programInformation(bare.rawValue, details: []).id
      let untyped = try refused(nil, of: .id(id))
      try equal(
        untyped, .notFound,
        "program \(id) was loaded without BTF, so that its functions have no names")
    },
    Check("a replacement that is declared otherwise is refused with the declaration it needs") {
      let program = try Guest.load("replaced").program("run")
      let error = try refusal {
        var options = LoadOptions()
        options.programs = ["wrong_answer"]
        options.setAttachTarget(of: "wrong_answer", to: .program(program))
        _ = try LoadedObject(try Guest.object("replacement"), options: options)
      }
      try equal(error.code, .rejected, "the code of \(error)")
      try require(
        error.message.contains("wrong_answer() has 2 args while answer() has 1"), "\(error)")
      try equal(
        error.hint, "declare it as the function that it replaces: int answer(int question)",
        "the hint")
    },
    Check("ebpf load --target names the program") {
      let program = try Guest.load("replaced").program("run")
      let command = try Command.run([
        Guest.command, "load", "--json", "--target", "\(program.id)",
        "/fixtures/replacement.bpf.o",
      ])
      try equal(command.status, 0, "the status (\(command.error))")
      try require(command.output.contains("\"new_answer\""), command.output)
      let missing = try Command.run([
        Guest.command, "load", "--target", "new_answer=/sys/fs/bpf/none",
        "/fixtures/replacement.bpf.o",
      ])
      try equal(missing.status, 2, "the status")
      try require(missing.error.contains("there is no such pin"), missing.error)
    },
  ]

  private static func replacement(
    of target: TargetProgram, function: String? = nil
  ) throws -> LoadedObject {
    try Guest.load("replacement") {
      $0.setAttachTarget(of: "new_answer", to: target, function: function)
    }
  }

  private static func result(_ program: Program) throws -> UInt32 {
    var run = TestRun()
    run.input = [UInt8](repeating: 0, count: 64)
    return try program.testRun(run).returnValue
  }
}
