internal import CEBPF
internal import Glibc

/// The controlling terminal, for a program that fills the whole screen.
///
/// It is opened anew (`/dev/tty`), so that neither standard streams that lead elsewhere nor waiting
/// for a slow terminal matter: nothing here blocks for longer than a moment. When the owner goes away
/// the terminal is as it was.
public struct Terminal: ~Copyable, Sendable {
  private let descriptor: OwnedDescriptor
  /// The settings before it was taken over; nil while it is not.
  private var saved: termios?
  /// What to write when it is given back.
  private let farewell: [UInt8]
  /// What did not fit into the terminal's buffer yet.
  private var unwritten: [UInt8] = []

  /// Opens the terminal; throws `ENXIO` when this process has none.
  ///
  /// - Parameter farewell: written when the terminal is given back, whatever the reason.
  public init(farewell: String) throws(Errno) {
    let opened = unsafe "/dev/tty".withCString { path in
      unsafe Glibc.open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
    }
    guard opened >= 0 else { throw Errno(rawValue: errno) }
    descriptor = OwnedDescriptor(owning: opened)
    self.farewell = Array(farewell.utf8)
  }

  deinit {
    guard let saved else { return }
    Terminal.restore(descriptor.rawValue, saved, farewell)
  }

  /// Readable when a key was pressed.
  public var descriptorToWatch: Int32 { descriptor.rawValue }

  /// True while it is taken over.
  public var isTaken: Bool { saved != nil }

  /// Gets keys one by one and unseen from here on; Ctrl-C and Ctrl-Z still send their signals. When
  /// this process is in the background it is stopped until it is in the foreground.
  public mutating func takeOver() throws(Errno) {
    guard saved == nil else { return }
    var settings = termios()
    guard unsafe tcgetattr(descriptor.rawValue, &settings) == 0 else {
      throw Errno(rawValue: errno)
    }
    let before = settings
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ECHONL | IEXTEN)
    settings.c_iflag &= ~tcflag_t(IXON | ICRNL | INLCR | IGNCR | ISTRIP)
    guard unsafe tcsetattr(descriptor.rawValue, TCSANOW, &settings) == 0 else {
      throw Errno(rawValue: errno)
    }
    saved = before
  }

  /// Writes the farewell and brings the settings back. Whatever fails, there is nobody to tell.
  public mutating func giveBack() {
    guard let settings = saved.take() else { return }
    unwritten = []
    Terminal.restore(descriptor.rawValue, settings, farewell)
  }

  private static func restore(_ descriptor: Int32, _ settings: termios, _ farewell: [UInt8]) {
    // A sequence that was cut off is ended by CAN (ECMA-48 § 8.3.6 leaves that to the terminal; all
    // do) before the farewell.
    let bytes = [0x18] + farewell
    _ = Terminal.write(bytes[...], to: descriptor, patience: 1000)
    var settings = settings
    _ = unsafe tcsetattr(descriptor, TCSANOW, &settings)
  }

  /// Columns and rows; 0 by 0 when the terminal does not know.
  public var size: (columns: Int, rows: Int) {
    var size = winsize()
    guard unsafe ioctl(descriptor.rawValue, UInt(TIOCGWINSZ), &size) == 0 else { return (0, 0) }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// The bytes that keys sent; none when there are none now. Throws `EIO` when the terminal is gone.
  public borrowing func read() throws(Errno) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = unsafe buffer.withUnsafeMutableBytes { buffer -> Int64 in
      // SAFETY: 4096 bytes have a base address.
      guard let base = buffer.baseAddress else { return 0 }
      return unsafe cebpf_read(descriptor.rawValue, base, buffer.count)
    }
    if count == Int64(-EAGAIN) || count == Int64(-EINTR) { return [] }
    guard try Errno.check(count) > 0 else { throw Errno(rawValue: EIO) }
    return Array(buffer.prefix(Int(count)))
  }

  /// True when everything written has reached the terminal; tries again to write what has not.
  public mutating func isReady() -> Bool {
    guard !unwritten.isEmpty else { return true }
    let rest = Terminal.write(unwritten[...], to: descriptor.rawValue, patience: 0)
    unwritten = Array(rest)
    return unwritten.isEmpty
  }

  /// Writes text. A terminal that does not take it soon gets the rest later: ask ``isReady()``.
  public mutating func write(_ text: String) {
    unwritten += Array(text.utf8)
    unwritten = Array(Terminal.write(unwritten[...], to: descriptor.rawValue, patience: 100))
  }

  /// Writes, waiting at most so many milliseconds each time the terminal is full; returns what is left.
  private static func write(
    _ bytes: ArraySlice<UInt8>, to descriptor: Int32, patience: Int32
  ) -> ArraySlice<UInt8> {
    var rest = bytes
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { buffer -> Int64 in
        // SAFETY: the slice is not empty, so its base address exists.
        guard let base = buffer.baseAddress else { return 0 }
        return unsafe cebpf_write(descriptor, base, buffer.count)
      }
      if count > 0 {
        rest = rest.dropFirst(Int(count))
        continue
      }
      if count == Int64(-EINTR) { continue }
      guard count == Int64(-EAGAIN), patience > 0 else {
        // Full, or gone: nobody will see what is left of a terminal that is gone.
        return count == Int64(-EAGAIN) ? rest : []
      }
      var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      guard unsafe Glibc.poll(&poll, 1, patience) > 0 else { return rest }
    }
    return rest
  }
}
