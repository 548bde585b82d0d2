import EBPFSystem
import Glibc
import TestSupport
import Testing

/// A shell on a real terminal (tmux), which a test types at and looks at as a person would.
final class TerminalSession {
  let directory: TemporaryDirectory
  private var tmux: [String] { ["tmux", "-u", "-f", "/dev/null", "-S", directory.file("socket")] }

  /// Opens a terminal with a shell that has job control; its prompt is `ready>`.
  init(columns: Int = 80, rows: Int = 24, environment: [String] = []) throws {
    directory = try TemporaryDirectory()
    // The package manager asks tests for no colours when nobody watches.
    let variables = ["PS1=ready> ", "LC_ALL=C.UTF-8", "HISTFILE="] + environment
    _ = try Command.output(
      ["env", "-u", "TMUX"] + tmux + [
        "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)",
        "env", "-u", "ENV", "-u", "NO_COLOR",
      ] + variables + ["sh", "-i"])
    _ = try until("a prompt") { $0.contains("ready>") }
  }

  deinit {
    do { _ = try Command.run(tmux + ["kill-server"]) } catch { Issue.record(error) }
  }

  /// Presses keys, by tmux's names: `Enter`, `C-c`, `PageDown`, `q`.
  func press(_ keys: String...) throws {
    _ = try Command.output(tmux + ["send-keys"] + keys)
  }

  /// Types text as it is.
  func type(_ text: String) throws {
    _ = try Command.output(tmux + ["send-keys", "-l", text])
  }

  /// Types a command line and Enter.
  func enter(_ command: String) throws {
    try type(command)
    try press("Enter")
  }

  /// What the terminal shows, line by line; with `styles` the sequences that colour it.
  func screen(styles: Bool = false) throws -> String {
    try Command.output(tmux + ["capture-pane", "-p"] + (styles ? ["-e"] : []))
  }

  /// Gives the terminal another size.
  func resize(columns: Int, rows: Int) throws {
    _ = try Command.output(tmux + ["resize-window", "-x", "\(columns)", "-y", "\(rows)"])
  }

  /// Something tmux knows about the terminal: `alternate_on`, `cursor_flag`.
  func property(_ name: String) throws -> String {
    try Command.output(tmux + ["display-message", "-p", "#{\(name)}"])
      .trimmingSuffix("\n")
  }

  /// Looks at the terminal until it shows what is wanted; a minute without it is a failure.
  @discardableResult
  func until(
    _ what: String, styles: Bool = false, location: SourceLocation = #_sourceLocation,
    _ condition: (String) -> Bool
  ) throws -> String {
    let deadline = Clock.monotonic.now + 60_000_000_000
    var shown = ""
    while true {
      shown = try screen(styles: styles)
      if condition(shown) { return shown }
      try #require(
        Clock.monotonic.now < deadline, "waited a minute for: \(what); there was:\n\(shown)",
        sourceLocation: location)
    }
  }
}

extension String {
  fileprivate func trimmingSuffix(_ suffix: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
  }
}
