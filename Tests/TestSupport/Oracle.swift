import Glibc

/// Small C programs over libbpf or libelf that say what those libraries see in the same bytes.
public enum Oracle {
  /// Compiles `source` once per process and gives the executable's path.
  public static func build(name: String, source: String, libraries: [String] = ["bpf"]) throws
    -> String
  {
    let directory = "/tmp/ebpf-oracles.\(getpid())"
    mkdir(directory, 0o700)
    let path = "\(directory)/\(name)"
    if access(path, X_OK) == 0 { return path }
    let unfinished = "\(path).\(UInt64.random(in: 0...UInt64.max))"
    _ = try Command.output(
      ["cc", "-O1", "-w", "-x", "c", "-", "-o", unfinished] + libraries.map { "-l\($0)" },
      input: Array(source.utf8))
    rename(unfinished, path)
    return path
  }
}
