import ArgumentParser
import EBPFTracers

/// What `--unwind` takes.
enum UnwindChoice: String, ExpressibleByArgument, CaseIterable {
  case auto
  case fp
}

/// How a tracer that takes user stacks walks them.
struct UnwindOptions: ParsableArguments {
  @Option(
    name: .long,
    help: "User stacks by unwind tables where the kernel can (auto), or by frame pointers (fp).")
  var unwind = UnwindChoice.auto

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Megabytes for unwind tables; a C library takes 0.2, a compiler of 200 MB takes 20.",
      valueName: "megabytes"))
  var unwindMemory = 8

  func validate() throws {
    if !(1...512).contains(unwindMemory) {
      throw ValidationError("--unwind-memory takes 1 to 512, not \(unwindMemory)")
    }
  }

  /// The same for the library.
  var unwinding: CPUProfilerConfiguration.Unwinding {
    unwind == .fp ? .framePointers : .automatic
  }
  /// Memory for the tables, in bytes.
  var bytes: Int { unwindMemory << 20 }
}
