internal import EBPFSystem

/// Rights to load that the system's administrator has delegated to a user namespace, through a BPF file
/// system that was mounted for it (Linux 6.9).
struct BPFToken {
  let descriptor: SharedDescriptor
  let path: String

  /// The token that the options ask for; nil for none. Whether there is one by default is tried, not
  /// required.
  static func take(
    _ source: LoadOptions.TokenSource, kernel: any KernelInterface
  ) throws(EBPFError) -> BPFToken? {
    switch source {
    case .none: return nil
    case .path(let path): return try create(path, kernel)
    case .automatic:
      if let path = ProcessEnvironment["LIBBPF_BPF_TOKEN_PATH"] {
        return path.isEmpty ? nil : try create(path, kernel)
      }
      do throws(Errno) {
        return BPFToken(
          descriptor: try token(Pinning.defaultDirectory, kernel), path: Pinning.defaultDirectory)
      } catch { return nil }
    }
  }

  private static func token(
    _ path: String, _ kernel: any KernelInterface
  ) throws(Errno) -> SharedDescriptor {
    let directory = try SystemFile.open(path, flags: SystemFile.directory)
    return SharedDescriptor(try kernel.createToken(bpffs: directory.rawValue))
  }

  private static func create(
    _ path: String, _ kernel: any KernelInterface
  ) throws(EBPFError) -> BPFToken {
    do throws(Errno) {
      return BPFToken(descriptor: try token(path, kernel), path: path)
    } catch {
      throw refused(path, error)
    }
  }

  private static func refused(_ path: String, _ errno: Errno) -> EBPFError {
    func error(_ code: EBPFError.Code, _ reason: String, _ hint: String?) -> EBPFError {
      EBPFError.refused(
        code, "no BPF token from '\(path)': \(reason)", call: "bpf(BPF_TOKEN_CREATE)", errno,
        context: [.file(path)], hint: hint)
    }
    guard FileSystem.exists(path) else {
      return EBPFError.refused(
        .notFound, "no BPF token from '\(path)': there is no such directory", call: "open", errno,
        context: [.file(path)], hint: nil)
    }
    switch errno {
    case .invalid where !isBPF(path), .notDirectory:
      return error(
        .invalidArgument, "it is no BPF file system",
        "name the directory that the delegating BPF file system is mounted on")
    case .invalid:
      return error(
        .unsupported, "the kernel gives none",
        "tokens take Linux 6.9, and the directory that the file system is mounted on")
    case .noEntry:
      return error(
        .denied, "the file system delegates nothing",
        "the administrator mounts it with the options delegate_cmds, delegate_maps, "
          + "delegate_progs and delegate_attachs (any, or names separated by colons)")
    case .notSupported:
      return error(
        .invalidArgument, "this process is in the initial user namespace, which needs none",
        "run it in the user namespace that the file system was mounted for, or without a token")
    case .notPermitted:
      return error(
        .denied, "permission denied",
        "it takes CAP_BPF in the user namespace that the file system was mounted for")
    default: return error(.system, errno.text, nil)
    }
  }

  private static func isBPF(_ path: String) -> Bool {
    do throws(Errno) { return try FileSystem.type(path) == FileSystem.bpf } catch { return false }
  }

  // MARK: Refusals in spite of a token

  /// What to say in a user namespace without a token.
  static let missing =
    "capabilities count in the initial user namespace only; in this one it takes a BPF token "
    + "(Linux 6.9), from a BPF file system that was mounted for it with the options delegate_cmds, "
    + "delegate_maps, delegate_progs and delegate_attachs: ebpf load --token DIR"

  /// What to say where the kernel did not let the token's owner do something.
  func hint(toAllow what: String) -> String {
    let given = delegated.map { "was mounted with \($0)" } ?? "does not show what it delegates"
    return "the token has to allow \(what), and the file system at '\(path)' \(given); it takes "
      + "the capabilities as well, in this user namespace"
  }

  /// The options of the file system that delegate, as /proc shows them; nil when it does not.
  private var delegated: String? {
    let lines: [Substring]
    do throws(Errno) { lines = try SystemFile.lines("/proc/self/mountinfo") } catch { return nil }
    // `36 35 0:31 / /sys/fs/bpf rw,nosuid - bpf bpf rw,delegate_cmds=any`; the last mount is on top.
    for line in lines.reversed() {
      let words = line.split(separator: " ")
      guard words.count > 6, words[4] == path, let dash = words.firstIndex(of: "-"),
        words.count > dash + 3, words[dash + 1] == "bpf"
      else { continue }
      let options = words[dash + 3].split(separator: ",").filter { $0.hasPrefix("delegate_") }
      return options.isEmpty ? nil : options.joined(separator: ",")
    }
    return nil
  }
}

extension ObjectLoader {
  mutating func takeToken() throws(EBPFError) {
    token = try BPFToken.take(options.token, kernel: kernel)
    guard let token else { return }
    // Other processes' rights say nothing of what the token allows.
    features = KernelFeatures(kernel: kernel, types: types, token: token.descriptor.number)
  }

  /// Says what the token lacks, where the kernel denies something in spite of it, or that there is none.
  func delegating<Value: ~Copyable>(
    _ what: @autoclosure () -> String, _ body: () throws(EBPFError) -> Value
  ) throws(EBPFError) -> Value {
    do throws(EBPFError) { return try body() } catch {
      guard error.code == .denied else { throw error }
      var error = error
      if let token {
        error.hint = token.hint(toAllow: what())
      } else if !Privileges.isInInitialUserNamespace {
        error.hint = BPFToken.missing
      }
      throw error
    }
  }
}
