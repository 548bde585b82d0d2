/// What went wrong, where, and what the reader can do about it.
///
/// The one public error of this package. ``code`` is for programs; everything else is for people.
/// Context is added on the way out, so that the description reads from the file inwards.
public struct EBPFError: Error, Sendable, Hashable {
  /// The class of the failure; an open set, compare with `==`.
  public var code: Code
  /// What was being done and what was found: lower case, no full stop.
  public var message: String
  /// Where it happened, outermost first.
  public var context: [Context]
  /// The system call that was refused, when one was.
  public var systemCall: SystemCallFailure?
  /// What the reader can do next.
  public var hint: String?
  /// The kernel verifier's whole log, when a program was rejected.
  public var verifierLog: String?

  /// Creates an error; context is usually added later by ``at(_:_:)``.
  public init(
    _ code: Code, _ message: String, context: [Context] = [],
    systemCall: SystemCallFailure? = nil, hint: String? = nil, verifierLog: String? = nil
  ) {
    self.code = code
    self.message = message
    self.context = context
    self.systemCall = systemCall
    self.hint = hint
    self.verifierLog = verifierLog
  }

  /// This error with one more place around it.
  public func within(_ place: Context) -> EBPFError {
    var error = self
    error.context.insert(place, at: 0)
    return error
  }

  /// Runs `body` and puts `place` around any error it throws.
  @inlinable
  public static func at<Result: ~Copyable>(
    _ place: @autoclosure () -> Context, _ body: () throws(EBPFError) -> Result
  ) throws(EBPFError) -> Result {
    do throws(EBPFError) { return try body() } catch { throw error.within(place()) }
  }
}

// MARK: - Code

extension EBPFError {
  /// The class of a failure. New members may be added in any release.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    /// The stable name, as `--json` prints it.
    public let description: String
    private init(_ name: String) { description = name }

    /// The bytes contradict their format.
    public static let malformed = Code("malformed")
    /// The input is larger than the limit in force.
    public static let tooLarge = Code("too_large")
    /// Well-formed, but something this library or this kernel cannot do.
    public static let unsupported = Code("unsupported")
    /// A file, symbol, program, map or key that is not there.
    public static let notFound = Code("not_found")
    /// A name that is already taken, or something already attached.
    public static let exists = Code("exists")
    /// The caller's argument cannot be used.
    public static let invalidArgument = Code("invalid_argument")
    /// A request that the object's present state does not allow.
    public static let invalidState = Code("invalid_state")
    /// The kernel refused for lack of a privilege.
    public static let denied = Code("denied")
    /// The kernel's verifier rejected a program.
    public static let rejected = Code("rejected")
    /// A Swift type and a kernel type have different layouts.
    public static let layoutMismatch = Code("layout_mismatch")
    /// A CO-RE relocation, extern or reference could not be resolved.
    public static let unresolved = Code("unresolved")
    /// Events were lost, and the caller asked for that to be a failure.
    public static let dataLost = Code("data_lost")
    /// The kernel, or the file system, failed in another way; see the system call.
    public static let system = Code("system")
  }

  /// A place in the input or in the work.
  public enum Context: Sendable, Hashable {
    /// A file, by path.
    case file(String)
    /// A section of an object file.
    case section(String)
    /// A byte offset from the start of the file.
    case offset(UInt64)
    /// A program, by name.
    case program(String)
    /// A map, by name.
    case map(String)
    /// An instruction, by index from the start of its program.
    case instruction(Int)
    /// A symbol, by name.
    case symbol(String)
    /// A BTF type id.
    case type(UInt32)
    /// A process id.
    case process(Int32)
    /// Anything else: a label and a value.
    case other(String, String)

    /// The word before the value in a description, and the key in `--json`.
    public var label: String {
      switch self {
      case .file: "file"
      case .section: "section"
      case .offset: "offset"
      case .program: "program"
      case .map: "map"
      case .instruction: "instruction"
      case .symbol: "symbol"
      case .type: "type"
      case .process: "process"
      case .other(let label, _): label
      }
    }

    /// The value as text: offsets in hexadecimal, counts in decimal.
    public var value: String {
      switch self {
      case .file(let text), .section(let text), .program(let text), .map(let text),
        .symbol(let text), .other(_, let text):
        text
      case .offset(let offset): "0x" + String(offset, radix: 16)
      case .instruction(let index): String(index)
      case .type(let id): String(id)
      case .process(let id): String(id)
      }
    }
  }

  /// A system call that failed.
  public struct SystemCallFailure: Sendable, Hashable {
    /// The call and, for a multiplexer, its command: `bpf(BPF_MAP_CREATE)`.
    public var call: String
    /// The errno value, positive.
    public var errno: Int32
    /// The errno's symbol, such as `EPERM`.
    public var name: String

    /// Creates a record of a failed call.
    public init(call: String, errno: Int32, name: String) {
      self.call = call
      self.errno = errno
      self.name = name
    }
  }
}

// MARK: - Description

extension EBPFError: CustomStringConvertible {
  /// `code: message`, then one indented line for each piece of context, the call and the hint.
  public var description: String {
    var lines = ["\(code): \(message)"]
    func add(_ label: String, _ value: String) {
      let padding = String(repeating: " ", count: max(1, 13 - label.count))
      lines.append("  " + label + padding + value)
    }
    for place in context { add(place.label, place.value) }
    if let systemCall {
      add("system call", "\(systemCall.call) = \(systemCall.name) (\(systemCall.errno))")
    }
    if let hint { add("hint", hint) }
    return lines.joined(separator: "\n")
  }
}
