import Glibc

/// A container of static programs, run by Podman and runc in namespaces of its own.
public final class Container: Sendable {
  /// Its id.
  public let id: String
  private let root: TemporaryDirectory

  /// Starts `script` in busybox's shell; the programs are in the root folder.
  ///
  /// - Parameters:
  ///   - workloads: names of static programs (`scripts/build-workloads.sh`), without `-static`.
  ///   - capabilities: more than Podman gives.
  public init(
    _ script: String, workloads: [String] = [], capabilities: [String] = []
  ) throws {
    let root = try TemporaryDirectory()
    let shell = try Command.output(["sh", "-c", "readlink -f /bin/busybox"]).dropLast()
    _ = try Command.output(["install", "-D", String(shell), root.file("bin/busybox")])
    for name in workloads {
      _ = try Command.output([
        "install", try StoppedProcess.workload(name + "-static"), root.file(name),
      ])
    }
    let options =
      ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--network=none"]
      + capabilities.map { "--cap-add=" + $0 }
    let output = try Command.output(
      ["podman", "--runtime", "runc", "run", "-d"] + options
        + ["--rootfs", root.path, "/bin/busybox", "sh", "-c", script])
    id = String(output.split(separator: "\n").last ?? "")
    self.root = root
  }

  /// The id that its processes have outside, by command name; only of those that have stopped
  /// themselves. Waits until all these are there.
  public func stopped(_ commands: [String]) throws -> [String: Int32] {
    var found: [String: Int32] = [:]
    while found.count < commands.count {
      for process in try processes() where found[process.command] == nil {
        guard process.state == "T", commands.contains(process.command) else { continue }
        found[process.command] = process.id
      }
    }
    return found
  }

  /// Waits until no process has that id any more.
  public func waitForEnd(of process: Int32) throws {
    while try processes().contains(where: { $0.id == process && $0.state != "Z" }) {
      sched_yield()
    }
  }

  /// The processes whose group has the container's id in its path.
  private func processes() throws -> [(id: Int32, command: String, state: String)] {
    // Only of those that are there all the time: a process may end while its files are read.
    let script = """
      for p in /proc/[0-9]*; do
        grep -qs \(id) $p/cgroup || continue
        read -r id name state rest <$p/stat && echo "$id $name $state"
      done 2>/dev/null
      true
      """
    return try Command.output(["sh", "-c", script]).split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count == 3, let id = Int32(words[0]) else { return nil }
      return (id, String(words[1].dropFirst().dropLast()), String(words[2]))
    }
  }

  deinit {
    // A container that stays behind is no reason to fail.
    _ = try? Command.run(["podman", "rm", "-f", "-t", "0", id])
  }
}
