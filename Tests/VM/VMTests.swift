import EBPFSystem
import Glibc

/// The tests for kernels other than this machine's: `scripts/test-vm.sh` starts them as root on a
/// guest that has nothing else.
///
/// Prints a plan and a line for each check, as the Test Anything Protocol has them, and exits with
/// the number of checks that failed. Arguments choose checks whose names contain one of them.
@main enum VMTests {
  static let checks =
    KernelProbeChecks.all + KernelProbeRefusalChecks.all + MultiProbeChecks.all
    + TrampolineChecks.all + UserProbeChecks.all + TracepointChecks.all + ModuleChecks.all
    + TypeChecks.all + MapChecks.all + EventChecks.all + LinkChecks.all + ProfilerChecks.all
    + WallChecks.all + WakerChecks.all
    + StructOpsChecks.all + ReplacementChecks.all + TokenChecks.all
    + MemoryChecks.all + StaticAllocationChecks.all + NetworkChecks.all + SyscallChecks.all
    + ProcessChecks.all + ContextChecks.all + CommandChecks.all
    + PrivilegeChecks.all + LockdownChecks.all

  static func main() {
    let wanted = CommandLine.arguments.dropFirst()
    let chosen = checks.filter { check in
      wanted.isEmpty || wanted.contains { check.name.contains($0) }
    }
    print("1..\(chosen.count)")
    var failures: Int32 = 0
    for check in chosen {
      let begin = Clock.monotonic.now
      do {
        try check.body()
        let milliseconds = (Clock.monotonic.now - begin) / 1_000_000
        print("ok \(check.name) # \(milliseconds) ms")
      } catch {
        failures += 1
        let lines = "\(error)".split(separator: "\n", omittingEmptySubsequences: false)
        print("not ok \(check.name)")
        for line in lines { print("  \(line)") }
      }
      fflush(nil)
    }
    exit(min(failures, 100))
  }
}
