import Glibc
import TestSupport
import Testing

/// `--live`: the tracers on the whole terminal, as a person sees them.
@Suite struct LiveTests {
  /// Runs `ebpf` with arguments in a terminal and waits for its first picture; afterwards the shell
  /// prints the exit status, and whether the terminal's settings are what they were.
  private func start(
    _ arguments: [String], in terminal: TerminalSession, titled title: String
  ) throws {
    let line = ([EBPF.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
    let script = try terminal.directory.write(
      """
      before=$(stty -g)
      \(line)
      status=$?
      if [ "$before" = "$(stty -g)" ]; then echo "settings restored"; fi
      echo "status $status"

      """, to: "run")
    try terminal.enter("clear; . \(script)")
    try terminal.until("the first picture of \(title)") { $0.hasPrefix(title) }
    #expect(try terminal.property("alternate_on") == "1")
    #expect(try terminal.property("cursor_flag") == "0")
  }

  /// Waits for the shell, and checks that everything is as it was.
  private func expectRestored(
    _ terminal: TerminalSession, status: Int32 = 0, location: SourceLocation = #_sourceLocation
  ) throws -> String {
    let screen = try terminal.until("the shell to go on", location: location) {
      $0.contains("status \(status)\n")
    }
    #expect(screen.contains("settings restored"), "\(screen)", sourceLocation: location)
    #expect(try terminal.property("alternate_on") == "0", sourceLocation: location)
    #expect(try terminal.property("cursor_flag") == "1", sourceLocation: location)
    #expect(try terminal.property("wrap_flag") == "1", sourceLocation: location)
    return screen
  }

  @Test func `syscalls: exact figures while running, and the usual result after q`() throws {
    let terminal = try TerminalSession(columns: 100, rows: 30)
    let work = try StoppedProcess(workload: "syscalls")
    try start(["syscalls", "--live", "-p", "\(work.id)"], in: terminal, titled: "ebpf syscalls")
    #expect(try work.finish() == 0)
    try terminal.until("100,000 calls of getppid") { screen in
      screen.split(separator: "\n").contains {
        $0.contains("100,000") && $0.contains("getppid")
      }
    }
    try terminal.until("8,000 calls of openat with 5,000 errors") { screen in
      screen.split(separator: "\n").contains {
        $0.contains("8,000") && $0.contains("5,000") && $0.contains("openat")
      }
    }
    // More about one call: its errors by errno, and how long it takes.
    try terminal.type("/openat")
    try terminal.press("Enter", "Enter")
    let details = try terminal.until("what openat failed with") { $0.contains("ENOENT") }
    #expect(details.contains("5,000  ENOENT  openat"))
    #expect(details.contains("8,000 calls, 5,000 errors"))
    #expect(details.contains("how long it takes"))
    try terminal.press("Escape")
    try terminal.until("the table") { $0.hasPrefix("ebpf syscalls") }
    try terminal.press("q")
    let screen = try expectRestored(terminal)
    #expect(screen.contains("getppid") && screen.contains("recorded"))
  }

  @Test func `memory: blocks in use while running, with their stack`() throws {
    let terminal = try TerminalSession(columns: 120, rows: 30)
    let work = try StoppedProcess(workload: "memory")
    try start(
      ["memory", "--live", "--exact", "-p", "\(work.id)"], in: terminal, titled: "ebpf memory")
    #expect(try work.finish() == 0)
    try terminal.until("100 blocks in use") { $0.contains(" 100 blocks") }
    try terminal.press("Enter")
    let details = try terminal.until("a stack") { $0.contains("stack, the innermost") }
    #expect(details.contains("blocks still in use") && details.contains("  main"))
    try terminal.press("q")
    try terminal.until("the table") { $0.hasPrefix("ebpf memory") }
    try terminal.press("Tab")
    try terminal.until("the processes") { $0.contains("RESIDENT") && $0.contains("ended") }
    try terminal.press("q")
    _ = try expectRestored(terminal)
  }

  @Test func `profile: functions, callers and processes`() throws {
    let terminal = try TerminalSession(columns: 100, rows: 30)
    let work = try StoppedProcess(workload: "cpu", ["60", "stop"])
    work.resume()
    try start(
      ["profile", "--live", "-F", "499", "-p", "\(work.id)"], in: terminal, titled: "ebpf profile")
    try terminal.until("the hot functions") { $0.contains("hot_a") && $0.contains("hot_b") }
    try terminal.type("/hot_b")
    try terminal.press("Enter", "Enter")
    try terminal.until("who calls hot_b") {
      $0.contains("called by") && $0.contains("round_of_work")
    }
    try terminal.press("Escape", "Tab")
    try terminal.until("the processes") {
      $0.contains("HOTTEST FUNCTION") && $0.contains("\(work.id)")
    }
    work.send(SIGKILL)
    _ = try work.wait()
    try terminal.press("q")
    let screen = try expectRestored(terminal)
    #expect(screen.contains("hot_b"))
  }

  @Test(arguments: ["--off-cpu", "--wall"])
  func `profile: waits with who ended them, and threads`(mode: String) throws {
    let terminal = try TerminalSession(columns: 150, rows: 40)
    let work = try StoppedProcess(workload: "waits", ["wakers", "1000"])
    try start(
      ["profile", mode, "--wakers", "--live", "-p", "\(work.id)"], in: terminal,
      titled: "ebpf profile")
    try terminal.until("the main thread, stopped") { $0.contains("blocked: stopped") }
    #expect(try work.finish() == 0)
    try terminal.until("all waits for the futex") { screen in
      screen.split(separator: "\n").contains {
        $0.contains(" 1,000 ") && $0.contains("blocked: sleeping")
          && $0.contains("wait_for_futex")
      }
    }
    try terminal.type("/waits in syscall < release_futex < wake_by_futex")
    try terminal.press("Enter", "Enter")
    let details = try terminal.until("the stacks") { $0.contains("woken by waits") }
    #expect(details.contains("in 1,000 times since the start"), "\(details)")
    #expect(details.contains("  wait_for_futex\n") && details.contains("  wake_by_futex\n"))
    try terminal.press("Escape")
    try terminal.until("the table") { $0.hasPrefix("ebpf profile") }
    // The filter holds for both tables.
    try terminal.press("Escape", "Tab")
    try terminal.until("the threads") { $0.contains("SWITCHES/s") && $0.contains("woken") }
    try terminal.press("Enter")
    try terminal.until("its states") { $0.contains("time by state") }
    try terminal.press("Escape")
    try terminal.until("the table") { $0.hasPrefix("ebpf profile") }
    try terminal.press("q")
    let screen = try expectRestored(terminal)
    #expect(screen.contains("switches in"))
  }

  @Test func `network: a connection with its bytes and its health`() throws {
    let pair = try LoopbackConnection()
    let terminal = try TerminalSession(columns: 132, rows: 40)
    try start(
      ["network", "--live", "-D", "\(pair.port)"], in: terminal, titled: "ebpf network")
    try terminal.until("the connection") { $0.contains("127.0.0.1:\(pair.port)") }
    pair.send(20_000)
    try terminal.press("Enter")
    let details = try terminal.until("its bytes") { $0.contains("20.0 kB") }
    for word in ["round trip", "congestion", "sent again", "received, not read"] {
      #expect(details.contains(word), "\(details)")
    }
    try terminal.press("Escape")
    try terminal.until("the table") { $0.hasPrefix("ebpf network") }
    try terminal.press("q")
    _ = try expectRestored(terminal)
  }

  // MARK: - Keys and sizes

  @Test func `pause stops counting, resume goes on, a filter and help are seen`() throws {
    let terminal = try TerminalSession()
    let work = try StoppedProcess(workload: "syscalls")
    try start(["syscalls", "--live", "-p", "\(work.id)"], in: terminal, titled: "ebpf syscalls")
    try terminal.press("p")
    try terminal.until("the pause") { $0.hasPrefix("PAUSED") && $0.contains("p resume") }
    // All of its work is done while nothing is recorded.
    #expect(try work.finish() == 0)
    try terminal.press("p")
    try terminal.until("the end of the pause") { $0.hasPrefix("ebpf syscalls") }
    try terminal.press("?")
    try terminal.until("the help") { $0.hasPrefix("Keys") && $0.contains("q back") }
    try terminal.press("Escape")
    try terminal.press("/")
    try terminal.type("no such call")
    try terminal.until("the filter") { $0.contains("filter: no such call") }
    try terminal.press("Escape")
    try terminal.until("the table") { !$0.contains("filter: no such call") }
    try terminal.press("q")
    let screen = try expectRestored(terminal)
    #expect(!screen.contains("getppid"), "what happened during the pause is in the result")
  }

  @Test func `every size is filled, and resizing draws anew`() throws {
    let terminal = try TerminalSession()
    try start(["syscalls", "--live"], in: terminal, titled: "ebpf syscalls")
    for (columns, rows) in [(40, 10), (20, 5), (120, 50), (10, 3), (200, 60), (80, 24)] {
      try terminal.resize(columns: columns, rows: rows)
      let screen = try terminal.until("a picture of \(columns)×\(rows)") { screen in
        let lines = screen.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        return lines.count == rows && lines[0].hasPrefix("ebpf")
          && (rows < 4 || lines[rows - 1].hasPrefix("q quit"))
          && (rows < 3 || lines.contains { $0.contains("CALLS/s▾") })
      }
      #expect(screen.split(separator: "\n").allSatisfy { $0.count <= columns })
    }
    try terminal.press("q")
    _ = try expectRestored(terminal)
  }

  @Test func `without colours there are none`() throws {
    let pattern = /\u{1b}\[[0-9;]*3[0-7][;m]/
    for (environment, hasColours) in [([], true), (["NO_COLOR=1"], false)] {
      let terminal = try TerminalSession(environment: environment)
      try start(["syscalls", "--live"], in: terminal, titled: "ebpf syscalls")
      // Pausing is shown in yellow.
      try terminal.press("p")
      let paused = try terminal.until("the pause", styles: true) {
        $0.contains("PAUSED") && (!hasColours || $0.contains(pattern))
      }
      #expect(paused.contains(pattern) == hasColours)
      try terminal.press("q")
      _ = try expectRestored(terminal)
    }
  }

  @Test func `names that are escape sequences are shown and not obeyed`() throws {
    let terminal = try TerminalSession()
    let program = terminal.directory.file("\u{1b}[2J\u{1b}[31mx")
    _ = try Command.output(["cp", "/bin/sleep", program])
    try start(
      ["syscalls", "--live", "--by", "process", "--", program, "1000"], in: terminal,
      titled: "ebpf syscalls")
    try terminal.until("the command's name") { $0.contains("\u{fffd}[2J\u{fffd}[31mx (") }
    try terminal.press("q")
    _ = try expectRestored(terminal)
    _ = try Command.run(["pkill", "-f", terminal.directory.path])
  }

  @Test func `what a traced command writes to the terminal does not spoil the picture`() throws {
    let terminal = try TerminalSession()
    try start(
      [
        "syscalls", "--live", "--", "sh", "-c",
        "w=SPOI; for i in 1 2 3 4 5; do echo ${w}LED; echo ${w}LED >&2; done; exec sleep 1000",
      ], in: terminal, titled: "ebpf syscalls")
    try terminal.until("its calls") { $0.contains("write") }
    #expect(try !terminal.screen().contains("SPOILED"))
    try terminal.press("C-c")
    _ = try expectRestored(terminal)
  }

  // MARK: - Ends

  @Test(arguments: ["INT", "TERM", "HUP", "QUIT"])
  func `signals end it with its result and the terminal as it was`(signal: String) throws {
    let terminal = try TerminalSession()
    let pid = terminal.directory.file("pid")
    try terminal.enter(
      "clear; before=$(stty -g); sh -c 'echo $$ > \(pid); exec \(EBPF.path) syscalls --live'; "
        + "status=$?; [ \"$before\" = \"$(stty -g)\" ] && echo settings restored; echo status $status"
    )
    try terminal.until("the first picture") { $0.hasPrefix("ebpf syscalls") }
    let id = try Command.output(["cat", pid]).filter(\.isNumber)
    _ = try Command.output(["kill", "-\(signal)", id])
    let screen = try expectRestored(terminal)
    #expect(screen.contains("recorded"))
  }

  @Test func `Ctrl-Z gives the terminal to the shell, fg brings the view back`() throws {
    let terminal = try TerminalSession()
    let line = "\(EBPF.path) syscalls --live"
    try terminal.enter("clear; stty -g > \(terminal.directory.file("before"))")
    try terminal.enter(line)
    try terminal.until("the first picture") { $0.hasPrefix("ebpf syscalls") }
    for _ in 0..<2 {
      try terminal.press("C-z")
      try terminal.until("the shell") {
        $0.contains("Stopped") && !$0.hasPrefix("ebpf syscalls  all")
      }
      #expect(try terminal.property("alternate_on") == "0")
      #expect(try terminal.property("cursor_flag") == "1")
      try terminal.enter("clear; stty -g | cmp - \(terminal.directory.file("before")) && echo same")
      try terminal.until("the settings") { $0.contains("same\n") }
      try terminal.enter("fg")
      try terminal.until("the picture again") { $0.hasPrefix("ebpf syscalls  all") }
      #expect(try terminal.property("alternate_on") == "1")
    }
    try terminal.press("q")
    try terminal.until("the result") { $0.contains("overhead") }
    try terminal.enter("clear; stty -g | cmp - \(terminal.directory.file("before")) && echo same")
    try terminal.until("the settings") { $0.contains("same\n") }
  }

  @Test func `an error after the first picture leaves the terminal as it was`() throws {
    let terminal = try TerminalSession()
    try terminal.enter(
      "clear; before=$(stty -g); \(EBPF.path) syscalls --live -- /nowhere/program; "
        + "status=$?; [ \"$before\" = \"$(stty -g)\" ] && echo settings restored; echo status $status"
    )
    let screen = try expectRestored(terminal, status: 2)
    #expect(screen.contains("cannot run '/nowhere/program'"))
  }

  @Test func `-d ends it by itself, and --json prints the document`() throws {
    let terminal = try TerminalSession()
    let file = terminal.directory.file("result.json")
    try terminal.enter(
      "clear; \(EBPF.path) syscalls --live -d 0.5 --json > \(file); echo status $?")
    try terminal.until("the end") { $0.contains("status 0\n") }
    let document = try JSONValue(parsing: try Command.output(["cat", file]))
    #expect(document["totals"]["syscalls_traced"].int ?? 0 > 0)
  }

  @Test(arguments: ["profile", "network", "syscalls", "memory"])
  func `without a terminal it is wrong usage, and says so`(tracer: String) throws {
    let command = try EBPF.run([tracer, "--live", "-d", "1"])
    #expect(command.status == 64)
    #expect(command.error.contains("--live needs a terminal"))
    #expect(command.output.isEmpty)
  }
}

/// A TCP connection inside this process, over loopback.
private final class LoopbackConnection {
  let port: UInt16
  private let ends: [Int32]

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    func generic(_ body: (UnsafeMutablePointer<sockaddr>) -> Int32) -> Int32 {
      withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
      }
    }
    let length = size
    try #require(generic { bind(listener, $0, length) } == 0)
    try #require(listen(listener, 1) == 0)
    try #require(generic { getsockname(listener, $0, &size) } == 0)
    port = UInt16(bigEndian: address.sin_port)
    let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(generic { connect(client, $0, length) } == 0)
    let server = accept(listener, nil, nil)
    try #require(server >= 0)
    ends = [client, server]
  }

  deinit { for end in ends { close(end) } }

  /// Sends bytes from the connecting end and reads them at the other.
  func send(_ count: Int) {
    let bytes = [UInt8](repeating: 7, count: count)
    _ = write(ends[0], bytes, count)
    var buffer = bytes
    var got = 0
    while got < count {
      let part = read(ends[1], &buffer, buffer.count)
      guard part > 0 else { return }
      got += part
    }
  }
}
