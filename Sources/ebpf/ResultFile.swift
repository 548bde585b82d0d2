import EBPF
import EBPFSystem

/// A file that a command was asked to write.
struct ResultFile {
  let path: String

  /// Says that the file cannot be written before there is work to lose.
  func check() throws(EBPFError) {
    do throws(Errno) { try OutputFile.check(path: path) } catch { throw failure(error) }
  }

  /// Writes the file.
  func write(_ bytes: [UInt8]) throws(EBPFError) {
    do throws(Errno) { try OutputFile.write(bytes, path: path) } catch { throw failure(error) }
  }

  private func failure(_ error: Errno) -> EBPFError {
    let isDenied = error == .accessDenied || error == .notPermitted
    return EBPFError(
      isDenied ? .denied : .system, "cannot write '\(path)': \(error.text)",
      systemCall: .init(call: "write", errno: error.rawValue, name: error.name), hint: hint(error))
  }

  private func hint(_ error: Errno) -> String? {
    switch error {
    case .noEntry: "there is no such folder: make it first, or name another"
    case .isDirectory: "name a file in that folder"
    case .noSpace: "make room, or name a file on another file system"
    case .noDevice: "nobody reads this pipe: start its reader first"
    default: "name a file in a folder that you may write to"
    }
  }
}
