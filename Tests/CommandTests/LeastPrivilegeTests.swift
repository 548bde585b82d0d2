import TestSupport
import Testing

@Suite struct LeastPrivilegeTests {
  @Test func `the fewest capabilities are enough, and one less is not`() throws {
    let document = try EBPF.json(["check", "--least-privilege", "syscalls"])
    #expect(document["can_start"].bool == true)
    let needed = document["needed"].list.compactMap { $0["capability"].text }
    #expect(Set(needed) == ["CAP_BPF", "CAP_PERFMON"])
    let useful = document["useful"].list.compactMap { $0["capability"].text }
    #expect(Set(useful).isDisjoint(with: needed) && !useful.contains("CAP_SYS_ADMIN"))
    #expect(document["useful"].list.allSatisfy { $0["without"].text?.isEmpty == false })

    let directory = try TemporaryDirectory()
    let binary = try EBPF.copy(in: directory)
    func status(with capabilities: [String]) throws -> Int32 {
      try Command.run(EBPF.nobody(with: capabilities) + [binary, "syscalls", "-d", "0.1"]).status
    }
    let names = needed.map { String($0.dropFirst("CAP_".count)).lowercased() }
    #expect(try status(with: names) == 0)
    for missing in names { #expect(try status(with: names.filter { $0 != missing }) == 2) }
  }

  @Test func `what is found can be copied into a unit and a pod`() throws {
    let command = try EBPF.run(["check", "--least-privilege", "profile,memory"])
    #expect(command.status == 0)
    #expect(
      command.output.hasPrefix("profile, memory: as any user, with\n  CAP_PERFMON\n  CAP_BPF\n"))
    #expect(command.output.contains("\nsystemd     AmbientCapabilities=CAP_PERFMON CAP_BPF CAP_"))
    #expect(
      command.output.contains("\nKubernetes  capabilities: {drop: [ALL], add: [PERFMON, BPF, "))
  }

  @Test func `who may do nothing finds that nothing starts`() throws {
    let directory = try TemporaryDirectory()
    let binary = try EBPF.copy(in: directory)
    let command = try Command.run(
      EBPF.nobody() + [binary, "check", "--least-privilege", "profile"])
    #expect(command.status == 1)
    #expect(command.output.contains("profile: not all start here"))
    #expect(try EBPF.run(["check", "--least-privilege", "profiler"]).status == 64)
  }
}
