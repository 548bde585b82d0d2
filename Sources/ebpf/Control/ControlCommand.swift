import ArgumentParser
import ControlProtocol
import EBPF
import EBPFSystem

/// `ebpf control`: asks a tracer that runs somewhere else.
struct ControlCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "control",
    _superCommandName: "ebpf",
    abstract: "Pause, filter, ask or end a tracer that runs with --control.",
    usage: """
      ebpf control SOCKET|PID pause|resume|stats|overhead|stop [--tracer NAME] [--json]
      ebpf control SOCKET|PID filter [-p PID] [--children] [--comm NAME] [--cgroup PATH]
                              [--container ID] [--syscalls LIST] | --all
      """,
    discussion: """
      Every tracer's command takes --control SOCKET and listens there while it records. Nothing is \
      loaded again: a filter or a pause acts in the kernel from the next event on.

      pause     record nothing; what is in progress in the kernel stays attached
      resume    record again; the time in between is not in the duration
      filter    whose events are recorded from now on. The options together are the new filter; \
      --all takes it away. --syscalls changes which calls are recorded, and leaves the rest as it \
      is; an empty list is all.
      stats     the summary so far: totals, loss and overhead, as --json has them at the end
      overhead  what recording has cost so far
      stop      end the recording as Ctrl-C does: the tracer writes its result

      The tracer is named by its socket, or by its process id.

      THE PROTOCOL
        A Unix stream socket. A request is one line, one object of JSON of at most 65,536 bytes; \
      the answer is one line. Any number of requests may follow one another.

        {"request": "pause"}                          also resume, stats, overhead, stop
        {"request": "stats", "tracer": "syscalls"}    one of several (ebpf trace)
        {"request": "filter", "pid": [1234], "children": true, "comm": ["nginx"],
         "cgroup": ["/system.slice"], "container": ["4f5e"], "syscalls": "openat,!close"}
        {"request": "filter", "all": true}

        {"request": "pause", "tracers": {"syscalls": {"state": "paused"}}}
        {"error": {"code": "invalid_argument", "message": …, "hint": …}}

      The socket's file has mode 0600, and who connects must be the same user or root. It is \
      removed when the recording ends; one that a killed tracer left behind is replaced. A client \
      that does not read its answers waits alone; of more than 16 the one that was silent for \
      longest is cut off.

      EXAMPLES
        ebpf syscalls --control /run/ebpf.sock > calls.txt &
        ebpf control /run/ebpf.sock stats --json | jq .tracers.syscalls.totals
        ebpf control /run/ebpf.sock filter -p 1234 --syscalls openat
        ebpf control $! stop
        echo '{"request":"pause"}' | socat - /run/ebpf.sock

      EXIT STATUS
        0   done
        2   refused, or nobody is there
        64  wrong usage
      """)

  @Argument(help: ArgumentHelp("The tracer's socket, or its process id.", valueName: "socket|pid"))
  var target: String

  @Argument(
    help: ArgumentHelp(
      "pause, resume, filter, stats, overhead or stop.", valueName: "request"))
  var verb: ControlRequest.Verb

  @Option(name: .long, help: "Ask only this tracer of several: profile, syscalls, network, memory.")
  var tracer: String?

  @Option(name: .shortAndLong, help: "filter: only this process; may be repeated.")
  var pid: [Int32] = []

  @Flag(name: .long, help: "filter: with -p, also what it starts.")
  var children = false

  @Option(name: .long, help: "filter: only this command name; may be repeated.")
  var comm: [String] = []

  @Option(name: .long, help: "filter: only this cgroup and those in it; may be repeated.")
  var cgroup: [String] = []

  @Option(name: .long, help: "filter: only this container; may be repeated.")
  var container: [String] = []

  @Option(name: .long, help: "filter: only these system calls: openat,read; all but !futex.")
  var syscalls: String?

  @Flag(name: .long, help: "filter: record everything again.")
  var all = false

  @Flag(name: .long, help: "Print the answer as JSON.")
  var json = false

  mutating func validate() throws {
    do throws(ControlRequestError) {
      // The tracer would refuse the same; here it is wrong usage.
      _ = try ControlRequest(parsing: request.line.dropLast())
    } catch {
      throw ValidationError(error.hint.map { "\(error.message): \($0)" } ?? error.message)
    }
    if all && filter != ControlFilter() {
      throw ValidationError("--all and a filter exclude each other")
    }
  }

  mutating func run() throws {
    let line: String
    do throws(EBPFError) { line = try ControlCall.ask(request.line, at: target) } catch {
      throw Output.failure(error, json: json)
    }
    let answer = ControlText(line)
    if json {
      try Output.result(line + "\n")
    } else if let refusal = answer.refusal {
      throw Output.failure(refusal, json: false)
    } else {
      try Output.result(answer.text)
    }
    if answer.refusal != nil { throw ExitCode.failed }
  }

  private var filter: ControlFilter {
    var filter = ControlFilter()
    filter.pid = pid
    filter.children = children
    filter.comm = comm
    filter.cgroup = cgroup
    filter.container = container
    return filter
  }

  private var request: ControlRequest {
    var request = ControlRequest(verb, tracer: tracer)
    request.syscalls = syscalls
    if all || filter != ControlFilter() { request.processes = filter }
    return request
  }
}

extension ControlRequest.Verb: ExpressibleByArgument {}
