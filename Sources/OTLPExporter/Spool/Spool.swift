internal import EBPFSystem
internal import OTLP

/// A folder of requests, one file each, which outlives the process.
///
/// A file appears under its name only when it is whole, so a process that is killed leaves files
/// that can be trusted and at most one partial file, which was never accepted and is removed.
struct Spool: Sendable {
  /// A file's name: its number, and the items in it, so that what a damaged file held is known.
  struct Entry: Sendable, Hashable {
    var id: UInt64
    var itemCount: Int

    init(id: UInt64, itemCount: Int) {
      self.id = id
      self.itemCount = itemCount
    }

    var name: String {
      let digits = String(id)
      return String(repeating: "0", count: max(0, 16 - digits.count))
        + "\(digits)-\(itemCount).otlp"
    }

    /// Nil for a name this exporter does not write.
    init?(name: String) {
      guard name.hasSuffix(".otlp") else { return nil }
      let parts = name.dropLast(5).split(separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 2, let id = UInt64(parts[0]), id < 1 << 53, let count = Int(parts[1]),
        (0...Int(Int32.max)).contains(count)
      else { return nil }
      self.init(id: id, itemCount: count)
      guard self.name == name else { return nil }
    }
  }

  /// Why a file's request cannot be had.
  enum ReadError: Error, Hashable {
    case damaged(String)
    /// It may be readable later.
    case failed(Errno)
  }

  private let path: String
  private let signal: TelemetrySignal
  private let maximumFileSize: Int

  /// Opens the folder of a signal, and makes it when it is missing.
  init(
    root: String, signal: TelemetrySignal, maximumFileSize: Int
  ) throws(ExporterError) {
    self.signal = signal
    self.maximumFileSize = maximumFileSize
    path = "\(root)/\(signal.rawValue)"
    for folder in [root, path] where !FileSystem.exists(folder) {
      do throws(Errno) { try FileSystem.makeDirectory(folder) } catch {
        throw ExporterError(
          .file, "the spool's folder '\(folder)' cannot be made: \(error)",
          hint: "name a folder this process can write to; its parent has to exist")
      }
    }
  }

  /// The files an earlier process left, oldest first, with their sizes. Partial files are removed;
  /// whatever has another name is left alone.
  func entries() throws(ExporterError) -> [(entry: Entry, size: Int)] {
    do throws(Errno) {
      var found: [(entry: Entry, size: Int)] = []
      for name in try FileSystem.entries(path) {
        if name.hasSuffix(".otlp.partial") {
          try FileSystem.remove("\(path)/\(name)")
        } else if let entry = Entry(name: name) {
          let size = try FileStatus(path: "\(path)/\(name)").size
          found.append((entry, max(0, Int(clamping: size) - SpoolRecord.headerSize)))
        }
      }
      return found.sorted { $0.entry.id < $1.entry.id }
    } catch {
      throw ExporterError(
        .file, "the spool's folder '\(path)' cannot be read: \(error)",
        hint: "name a folder this process owns")
    }
  }

  /// Stores a request; when this returns, it survives the end of the process.
  ///
  /// It does not wait for the disk, which takes milliseconds on a good day and seconds on a bad one. A
  /// machine that loses its power leaves out the last files or some of their content, and a file that is
  /// not whole is known by its sum, and counted by its name.
  func write(_ entry: Entry, _ bytes: [UInt8]) throws(Errno) {
    let record = SpoolRecord(signal: signal, itemCount: entry.itemCount, body: bytes)
    try OutputFile.write(record.encoded(), path: file(entry))
  }

  /// The request stored under a number.
  func read(_ entry: Entry) throws(ReadError) -> [UInt8] {
    let content: [UInt8]
    do throws(Errno) {
      content = try SystemFile.read(file(entry), limit: maximumFileSize + SpoolRecord.headerSize)
    } catch {
      switch error {
      case .noEntry: throw .damaged("\(entry.name) is gone")
      case .fileTooLarge: throw .damaged("\(entry.name) is larger than any request")
      default: throw .failed(error)
      }
    }
    do throws(SpoolRecord.Damage) {
      let record = try SpoolRecord(decoding: content, signal: signal)
      guard record.itemCount == entry.itemCount else {
        throw SpoolRecord.Damage("its name and its header count different items")
      }
      return record.body
    } catch { throw .damaged("\(entry.name) is damaged: \(error.description)") }
  }

  /// Removes a request that was delivered or given up.
  func remove(_ entry: Entry) throws(Errno) {
    do throws(Errno) { try FileSystem.remove(file(entry)) } catch {
      if error != .noEntry { throw error }
    }
  }

  private func file(_ entry: Entry) -> String { "\(path)/\(entry.name)" }
}
