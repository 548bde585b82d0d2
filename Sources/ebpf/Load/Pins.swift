import EBPF
import EBPFSystem

/// Names for an object's programs and maps in a directory of a BPF file system: all of them, or none.
struct Pins {
  let directory: String
  /// The path of each pin, by the name of its program or map.
  private(set) var paths: [String: String] = [:]

  /// Makes the directory if it is missing, and its parent is in a BPF file system.
  init(directory: String) throws(EBPFError) {
    var directory = directory
    while directory.count > 1, directory.hasSuffix("/") { directory.removeLast() }
    self.directory = directory
    guard !FileSystem.exists(directory), Self.isInBPF(directory) else { return }
    do throws(Errno) { try FileSystem.makeDirectory(directory) } catch {
      throw EBPFError(
        error == .accessDenied || error == .notPermitted ? .denied : .system,
        "the directory for the pins cannot be made", context: [.file(directory)],
        systemCall: .init(call: "mkdir", errno: error.rawValue, name: error.name),
        hint:
          "name a directory below \(Pinning.defaultDirectory), where a BPF file system is mounted"
      )
    }
  }

  /// Pins everything, except the maps that the load pinned by name already.
  mutating func add(_ loaded: LoadedObject, pinnedByName: Set<String>) throws(EBPFError) {
    var made: [String] = []
    do throws(EBPFError) {
      for program in loaded.programs {
        let path = path(program.name)
        try program.pin(to: path)
        made.append(path)
        paths[program.name] = path
      }
      for map in loaded.maps {
        let path = path(map.name)
        if !pinnedByName.contains(map.name) {
          try map.pin(path)
          made.append(path)
        }
        paths[map.name] = path
      }
    } catch {
      var error = error
      for path in made {
        do throws(EBPFError) { try Pinning.unpin(path) } catch let leftover {
          error = error.within(.other("left behind", "\(path): \(leftover.message)"))
        }
      }
      throw error
    }
  }

  private static func isInBPF(_ directory: String) -> Bool {
    guard let slash = directory.lastIndex(of: "/") else { return false }
    // What cannot be asked is no BPF file system; the pin's own error will say more.
    do throws(Errno) {
      return try FileSystem.type(String(directory[..<slash])) == FileSystem.bpf
    } catch { return false }
  }

  /// A BPF file system takes no dots in names; data maps have one.
  private func path(_ name: String) -> String {
    directory + "/" + String(name.map { $0 == "." ? "_" : $0 })
  }
}
