import Glibc

/// A new folder that is removed, with all that is in it, when this value goes away.
public final class TemporaryDirectory: Sendable {
  /// The folder's path, without a final slash.
  public let path: String

  /// Makes the folder.
  public init() throws {
    var template = Array("/tmp/swift-ebpf-test.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw Command.Failure(description: "mkdtemp: \(errno)")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The path of a file in the folder.
  public func file(_ name: String) -> String { path + "/" + name }

  /// Writes a file into the folder and returns its path.
  @discardableResult
  public func write(_ text: String, to name: String) throws -> String {
    try write(Array(text.utf8), to: name)
  }

  /// Writes a file into the folder and returns its path.
  @discardableResult
  public func write(_ bytes: [UInt8], to name: String) throws -> String {
    guard let file = fopen(file(name), "w") else {
      throw Command.Failure(description: "\(name): \(errno)")
    }
    let written = fwrite(bytes, 1, bytes.count, file)
    guard fclose(file) == 0, written == bytes.count else {
      throw Command.Failure(description: "\(name): short write")
    }
    return self.file(name)
  }

  deinit {
    // A folder that stays behind in /tmp is no reason to fail.
    _ = try? Command.run(["rm", "-rf", "--", path])
  }
}

/// A whole file, for tests.
public func contents(ofFile path: String) throws -> [UInt8] {
  guard let file = fopen(path, "r") else {
    throw Command.Failure(description: "\(path): \(String(cString: strerror(errno)))")
  }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 20)
  while true {
    let count = fread(&buffer, 1, buffer.count, file)
    bytes += buffer[..<count]
    if count == 0 { break }
  }
  guard ferror(file) == 0 else { throw Command.Failure(description: "\(path): read error") }
  return bytes
}
