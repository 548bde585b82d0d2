import ArgumentParser
import EBPF
import EBPFTracers

/// `ebpf unwind`: how well stacks can be walked.
struct UnwindCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unwind",
    _superCommandName: "ebpf",
    abstract: "See how well the stacks of a process or a file can be walked.",
    usage: """
      ebpf unwind --check PID [-d SECONDS] [--perf] [--json]
      ebpf unwind FILE ... [--rows] [--json]
      """,
    discussion: """
      --check samples a process and takes each stack twice: by unwind tables (.eh_frame, and the \
      machine code that it leaves out) and by frame pointers. It tells how often both agree in each \
      file, how many stacks each of them found whole, and why walks ended. --perf lets \
      'perf record --call-graph dwarf' sample the process in the same seconds, and tells how many of \
      its stacks are among those that tables found.

      With files it tells how large the unwind table of each is and how much of the code it \
      describes. x86-64 only.
      """)

  @Option(name: .long, help: "Sample this process.")
  var check: Int32?

  @Option(name: .shortAndLong, help: "Seconds to sample.")
  var duration = 5.0

  @Option(name: [.customShort("F"), .long], help: "Samples a second on each CPU, 1 to 1000.")
  var frequency = 199

  @Option(name: .long, help: "Megabytes for unwind tables.")
  var unwindMemory = 64

  @Flag(name: .long, help: "With --check: compare with perf's stacks, too.")
  var perf = false

  @Flag(name: .long, help: "Print each row of the files' tables.")
  var rows = false

  @Flag(name: .long, help: "Print the result as JSON.")
  var json = false

  @Argument(help: "Executables or libraries.")
  var files: [String] = []

  mutating func validate() throws {
    if (check == nil) == files.isEmpty { throw ValidationError("give --check PID or files") }
    if rows && (check != nil || json) {
      throw ValidationError("--rows is for files, without --json")
    }
    if perf && check == nil { throw ValidationError("--perf needs --check PID") }
    if let check, check <= 0 { throw ValidationError("--check takes a process id, not \(check)") }
    if !(duration > 0 && duration <= 86_400) {
      throw ValidationError("-d takes a number of seconds above 0")
    }
    if !CPUProfilerConfiguration.frequencies.contains(frequency) {
      throw ValidationError("-F takes 1 to 1000 samples a second, not \(frequency)")
    }
    if !(1...512).contains(unwindMemory) {
      throw ValidationError("--unwind-memory takes 1 to 512, not \(unwindMemory)")
    }
  }

  mutating func run() throws {
    do throws(EBPFError) {
      if let check { try compare(check) } else { try summarize() }
    } catch { throw Output.failure(error, json: json) }
  }

  private func compare(_ process: Int32) throws(EBPFError) {
    try TracerOptions.expectProcess(process)
    var configuration = CPUProfilerConfiguration()
    configuration.comparesUnwinding = true
    configuration.frequency = frequency
    configuration.filter.processes = [process]
    configuration.unwindBytes = unwindMemory << 20
    let recording = TracerRecording<CPUProfiler>(
      seconds: duration, command: [], noun: "samples", showsProgress: !json)
    let peer =
      perf ? try PerfRecording(of: process, seconds: duration, frequency: frequency) : nil
    let result: CPUProfile
    do throws(EBPFError) { result = try recording.run { _ in CPUProfiler(configuration) } } catch {
      peer?.end()
      throw error
    }
    let report = UnwindReport(process: process, result, perf: try peer?.stop())
    if json { try Output.write(JSONDocument.text(report.document)) } else { try report.write() }
  }

  private func summarize() throws(EBPFError) {
    var documents: [UnwindFileDocument] = []
    var table = TextTable(rightAligned: [0, 1, 2, 3, 4])
    table.add("ROWS", "BYTES", "RULES", "FUNCTIONS", "COVERED", "FILE")
    for path in files {
      var lines = ""
      let summary = try UnwindSummary(path: path) { address, rule in
        if rows { lines += String(address, radix: 16) + " " + rule + "\n" }
      }
      if rows { try Output.write(lines) }
      let document = UnwindFileDocument(path, summary)
      documents.append(document)
      table.add(
        Figures.count(UInt64(summary.rows)), Figures.count(UInt64(summary.bytes)),
        Figures.count(UInt64(summary.uniqueRules)), Figures.count(UInt64(summary.functions)),
        Figures.fixed(document.coveredPercent, decimals: 1) + " %", path)
    }
    if json {
      try Output.write(JSONDocument.text(UnwindFilesDocument(files: documents)))
    } else if !rows {
      try Output.write(table.text())
    }
  }
}
