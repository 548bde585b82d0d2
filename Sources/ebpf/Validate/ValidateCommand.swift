import ArgumentParser
import EBPF
import EBPFSystem

/// `ebpf validate`.
struct ValidateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    _superCommandName: "ebpf",
    abstract: "Inspect BPF object files, without the kernel and without privileges.",
    discussion: """
      Lists what is in an object file - programs, maps, global variables, the kernel functions it \
      calls - together with the oldest kernel that can load it, and because of what. Resolves its \
      CO-RE records against a kernel's types, and reports every problem with its place in the file \
      and what to do about it.

      Nothing is loaded: no bpf(2) call is made, and no privilege is needed.

      With --json a single file gives one object, several give {"files": [...]}; a file that could \
      not be read has an "error" in place of the other keys.

      EXAMPLES
        ebpf validate tracer.bpf.o
        ebpf validate --btf /srv/btf/5.10.0-28-amd64.btf tracer.bpf.o
        ebpf validate --disassemble tracer.bpf.o | less
        ebpf validate --json *.bpf.o | jq '.files[] | select(.valid | not) | .file'

      EXIT STATUS
        0   every object is valid
        1   an object is not
        2   a file could not be read
        64  wrong usage

      PRIVILEGES
        None. The default for --btf is readable by everyone.
      """)

  @Argument(help: "Object files, as made by clang -target bpf -g -O2.", completion: .file())
  var files: [String]

  @Option(
    name: .customLong("btf"),
    help: ArgumentHelp(
      "Types to resolve CO-RE records against: raw BTF, or an ELF file with a .BTF section. "
        + "(default: the running kernel's, if they can be read)", valueName: "file"),
    completion: .file())
  var types: String?

  @Option(help: ArgumentHelp("Refuse larger files unread.", valueName: "bytes"))
  var maxSize = ObjectFile.standardSizeLimit

  @Flag(help: "Print the instructions as well, with their source lines.")
  var disassemble = false

  @Flag(help: "Print one JSON document.")
  var json = false

  func validate() throws {
    guard !files.isEmpty else { throw ValidationError("name at least one object file") }
    guard maxSize > 0 else { throw ValidationError("--max-size must be at least 1") }
  }

  func run() throws {
    let targets = TargetTypes(file: types)
    if targets.isExplicit {
      do throws(EBPFError) { _ = try targets.types() } catch {
        throw Output.failure(error, json: json)
      }
    }
    var status = ExitCode.success
    var entries: [ObjectDocuments.Entry] = []
    var last: Validation?
    for (index, file) in files.enumerated() {
      let separator = index == 0 ? "" : "\n"
      switch examine(file, targets, keeping: &last) {
      case .success(.document(let document, let isValid)):
        entries.append(.object(document))
        if !isValid, status == .success { status = .no }
      case .success(.text(let text, let isValid)):
        try Output.result(separator + text)
        if !isValid, status == .success { status = .no }
      case .failure(let error):
        status = .failed
        if json {
          entries.append(.failure(ErrorDocument(error)))
        } else {
          _ = Output.failure(error, json: false)
        }
      }
    }
    if json {
      try Output.result(
        files.count == 1
          ? JSONDocument.text(entries[0]) : JSONDocument.text(ObjectDocuments(files: entries)))
    }
    // The process ends here: to free the thousands of parts of an object one by one would take as
    // long as to print them.
    withExtendedLifetime(last) { ProcessEnd.now(status: status.rawValue) }
  }

  private enum Answer {
    case document(ObjectDocument, isValid: Bool)
    case text(String, isValid: Bool)
  }

  private func examine(
    _ file: String, _ targets: TargetTypes, keeping last: inout Validation?
  ) -> Result<Answer, EBPFError> {
    do throws(EBPFError) {
      let validation = try Validation(path: file, targets: targets, sizeLimit: maxSize)
      last = validation
      let isValid = validation.report.isValid
      return .success(
        json
          ? .document(
            ObjectDocument(validation, disassembling: disassemble), isValid: isValid)
          : .text(ObjectText(validation).text(disassembling: disassemble), isValid: isValid))
    } catch { return .failure(error) }
  }
}
