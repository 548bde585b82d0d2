public import EBPFSystem

/// Names in a bpf file system, which keep maps, programs and links alive without a process.
public enum Pinning {
  /// Where distributions mount the bpf file system.
  public static let defaultDirectory = "/sys/fs/bpf"

  /// Gives an open object a name. `what` names it in errors: `map 'events'`.
  public static func pin(
    _ descriptor: Int32, path: String, what: String, kernel: any KernelInterface = LiveKernel()
  ) throws(EBPFError) {
    do throws(Errno) { try kernel.pin(descriptor, path: path) } catch {
      throw refused("cannot pin \(what) as '\(path)'", path, "bpf(BPF_OBJ_PIN)", error)
    }
  }

  /// Opens the object with a name.
  public static func open(
    _ path: String, _ kind: KernelObjectKind, readOnly: Bool = false,
    kernel: any KernelInterface = LiveKernel()
  ) throws(EBPFError) -> OwnedDescriptor {
    let cannot = "cannot open the pinned \(word(kind)) '\(path)'"
    let descriptor: OwnedDescriptor
    do throws(Errno) {
      descriptor = try kernel.openPinned(path: path, flags: readOnly ? MapFlags.readOnly : 0)
    } catch { throw refused(cannot, path, "bpf(BPF_OBJ_GET)", error) }
    if let found = actualKind(descriptor), found != kind {
      throw EBPFError(
        .invalidArgument, "\(cannot): it is a \(word(found))", context: [.file(path)])
    }
    return descriptor
  }

  /// Removes a name. The object goes away with its last user.
  public static func unpin(_ path: String) throws(EBPFError) {
    do throws(Errno) { try FileSystem.remove(path) } catch {
      throw refused("cannot unpin '\(path)'", path, "unlink", error)
    }
  }

  /// What a descriptor is, by the name the kernel shows for it in /proc; nil when that is not mounted.
  private static func actualKind(_ descriptor: borrowing OwnedDescriptor) -> KernelObjectKind? {
    let link: String
    do throws(Errno) { link = try FileSystem.link("/proc/self/fd/\(descriptor.rawValue)") } catch {
      return nil
    }
    return switch link {
    case "anon_inode:bpf-map": .map
    case "anon_inode:bpf-prog": .program
    case "anon_inode:bpf_link", "anon_inode:bpf-link": .link
    case "anon_inode:btf": .btf
    default: nil
    }
  }

  private static func word(_ kind: KernelObjectKind) -> String {
    switch kind {
    case .map: "map"
    case .program: "program"
    case .link: "link"
    case .btf: "BTF object"
    }
  }

  private static func refused(
    _ cannot: String, _ path: String, _ call: String, _ errno: Errno
  ) -> EBPFError {
    let directory = parent(of: path)
    func error(_ code: EBPFError.Code, _ reason: String, _ hint: String?) -> EBPFError {
      EBPFError.refused(
        code, "\(cannot): \(reason)", call: call, errno, context: [.file(path)], hint: hint)
    }
    switch errno {
    case .noEntry:
      return error(
        .notFound, FileSystem.exists(directory) ? "there is no such pin" : "no such directory",
        "mount the file system with `mount -t bpf bpf \(defaultDirectory)`, or create '\(directory)'"
      )
    case .exists: return error(.exists, "the name is taken", "unpin it first, or open it")
    case .notPermitted, .invalid:
      if !isBPF(directory) {
        return error(
          .invalidArgument, "'\(directory)' is not in a bpf file system",
          "use a path below \(defaultDirectory); mount it with `mount -t bpf bpf"
            + " \(defaultDirectory)`")
      }
      return error(.denied, errno.text, EBPFError.privilegeHint(needs: [.bpf]))
    case .accessDenied:
      return error(
        .denied, "permission denied",
        "the permissions of '\(directory)' and of the pin decide; or open it for reading only")
    default: return error(.system, errno.text, nil)
    }
  }

  private static func isBPF(_ directory: String) -> Bool {
    do throws(Errno) { return try FileSystem.type(directory) == FileSystem.bpf } catch {
      return false
    }
  }

  private static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

extension RawMap {
  /// Gives the map a name in a bpf file system, under which it outlives this process.
  public func pin(_ path: String) throws(EBPFError) {
    try Pinning.pin(fileDescriptor, path: path, what: "map '\(name)'", kernel: kernel)
  }

  /// Opens a pinned map.
  public static func open(
    pinned path: String, readOnly: Bool = false, kernel: any KernelInterface = LiveKernel()
  ) throws(EBPFError) -> RawMap {
    let descriptor = try Pinning.open(path, .map, readOnly: readOnly, kernel: kernel)
    return try RawMap(owning: descriptor, kernel: kernel)
  }
}
