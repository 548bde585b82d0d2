internal import EBPFSystem

/// Files that a person named: opened with errors that say what to do.
package enum InputFile {
  /// The content of a regular file of at most `limit` bytes; `what` it should have been is for the
  /// error's text.
  package static func open(
    _ path: String, limit: UInt64, limitHint: String? = nil, what: String
  ) throws(EBPFError) -> Bytes {
    do throws(Errno) { return try MappedFile.open(path, limit: limit) } catch {
      var refusal = refusal(path, error, limit: limit, what: what).within(.file(path))
      if error == .fileTooLarge { refusal.hint = limitHint }
      throw refusal
    }
  }

  /// The content of an object file.
  package static func object(
    _ path: String, sizeLimit: Int,
    limitHint: String = "if it is meant to be that large, raise the limit: --max-size BYTES"
  ) throws(EBPFError) -> Bytes {
    try open(
      path, limit: UInt64(sizeLimit),
      limitHint: limitHint,
      what: "an object file")
  }

  /// A kernel's types: a raw BTF file, as in /sys/kernel/btf, or an ELF file with a `.BTF` section.
  package static func types(_ path: String, base: BTF? = nil) throws(EBPFError) -> BTF {
    let bytes = try open(path, limit: 1 << 30, what: "a BTF file")
    return try EBPFError.at(.file(path)) { () throws(EBPFError) in
      // "\u{7f}ELF", whose bytes are the same in either order of the file's own integers.
      let magic: UInt32 = bytes.count >= 4 ? try bytes.load(at: 0) : 0
      guard magic == 0x464c_457f else { return try BTF(parsing: bytes, base: base) }
      let file = try ELFFile(bytes)
      guard let section = file.section(named: ".BTF") else {
        throw EBPFError(
          .notFound, "the ELF file has no .BTF section",
          hint: "give raw BTF such as /sys/kernel/btf/vmlinux, or a kernel image made with BTF")
      }
      return try BTF(parsing: try file.contents(of: section, using: .zlib), base: base)
    }
  }

  private static func refusal(
    _ path: String, _ errno: Errno, limit: UInt64, what: String
  ) -> EBPFError {
    func error(_ code: EBPFError.Code, _ message: String, _ hint: String?) -> EBPFError {
      let isOwn = errno == .illegalSeek || errno == .fileTooLarge || errno == .isDirectory
      return EBPFError(
        code, message,
        systemCall: isOwn
          ? nil
          : EBPFError.SystemCallFailure(call: "open", errno: errno.rawValue, name: errno.name),
        hint: hint)
    }
    switch errno {
    case .noEntry, .notDirectory:
      return error(.notFound, "there is no such file", "check the path, or build the file first")
    case .isDirectory:
      return error(
        .invalidArgument, "this is a directory, not \(what)", "name a file in it: \(path)/*.o")
    case .illegalSeek:
      return error(
        .invalidArgument, "this is a pipe, a socket or a device, not \(what)",
        "copy what it gives into a file first")
    case .accessDenied, .notPermitted:
      return error(
        .denied, "the file must not be read by this user",
        "let its owner allow it (chmod a+r), or run as a user who may read it")
    case .fileTooLarge:
      return error(
        .tooLarge, "the file has \(size(of: path)) bytes, the limit is \(limit)", nil)
    default: return error(.system, "the file cannot be read: \(errno.text)", nil)
    }
  }

  private static func size(of path: String) -> String {
    do throws(Errno) { return String(try FileStatus(path: path).size) } catch { return "more" }
  }
}
