import Profiles

/// A process's share of a profile.
struct ProfiledProcess {
  let id: Int32
  let command: String
  let cgroup: UInt64?
  var samples: Int64 = 0

  /// The processes of a profile, its threads together, the one with most samples first.
  static func list(_ profile: Profile) -> [ProfiledProcess] {
    struct Key: Hashable {
      let id: Int32
      let cgroup: UInt64?
    }
    var all: [Key: ProfiledProcess] = [:]
    for sample in profile.samples {
      let process = profile.processes[sample.process]
      let key = Key(id: process.pid, cgroup: process.cgroup)
      // Threads have names of their own; the first of a process has its name.
      let command = process.tid == process.pid ? process.command : nil
      var entry =
        all[key]
        ?? ProfiledProcess(id: process.pid, command: process.command, cgroup: process.cgroup)
      if let command, command != entry.command {
        entry = ProfiledProcess(
          id: entry.id, command: command, cgroup: entry.cgroup, samples: entry.samples)
      }
      entry.samples += sample.values[0]
      all[key] = entry
    }
    return all.values.sorted { ($1.samples, $0.id) < ($0.samples, $1.id) }
  }

  /// Who was on the CPUs, and in which container.
  static func table(
    _ processes: [ProfiledProcess], limit: Int, _ containers: ContainerNames?
  ) -> TextTable {
    var table = TextTable(rightAligned: [0, 1])
    table.add("SAMPLES", "PID", "COMMAND", "CONTAINER")
    for process in processes.prefix(limit) {
      table.add(
        Figures.count(UInt64(clamping: process.samples)), String(process.id), process.command,
        containers?.column(cgroup: process.cgroup, process: process.id) ?? "-")
    }
    return table
  }
}
