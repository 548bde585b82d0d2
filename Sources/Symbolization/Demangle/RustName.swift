/// Rust's second mangling, `_R…` (RFC 2603, "Rust Symbol Name Mangling v0").
///
/// A recursive descent that writes as it reads. Depth, steps and output are all limited, since a name
/// may refer back to its own parts any number of times.
struct RustName {
  private let name: [UInt8]
  var position: Int
  let isFull: Bool
  private var output: [UInt8] = []
  private var depth = 0
  private var steps = 0
  /// While above zero, nothing is written and back references are not followed.
  private var skipping = 0
  /// The number of lifetimes that the binders around this place introduce.
  private var boundLifetimes: UInt64 = 0

  static let deepest = 256
  static let mostSteps = 65_536
  static let longestOutput = 32_768

  /// The name is not one, or goes beyond a limit.
  struct Invalid: Error {}

  /// The name for people, or nil when it is damaged.
  static func demangle(_ name: [UInt8], style: Demangler.Style) -> String? {
    var parser = RustName(name, isFull: style == .full)
    do throws(Invalid) {
      try parser.symbol()
    } catch { return nil }
    return String(decoding: parser.output, as: UTF8.self)
  }

  private init(_ name: [UInt8], isFull: Bool) {
    // What LLVM and linkers add begins with a dot, which the mangling itself never uses.
    let end = name.firstIndex { $0 == 0x2e || $0 == 0x24 } ?? name.endIndex
    self.name = Array(name[..<end])
    self.isFull = isFull
    position = 2
  }

  mutating func symbol() throws(Invalid) {
    // A version would come as a number here; this is version 0, which has none.
    guard let first = peek, !first.isDigit else { throw Invalid() }
    try path(isValue: true)
    if position < name.count {
      skipping += 1
      try path(isValue: false)
      skipping -= 1
    }
    guard position == name.count else { throw Invalid() }
  }

  // MARK: - Reading

  var peek: UInt8? { position < name.count ? name[position] : nil }

  mutating func next() throws(Invalid) -> UInt8 {
    guard position < name.count else { throw Invalid() }
    position += 1
    steps += 1
    guard steps <= Self.mostSteps else { throw Invalid() }
    return name[position - 1]
  }

  mutating func accept(_ byte: Character) -> Bool {
    guard let wanted = byte.asciiValue, peek == wanted else { return false }
    position += 1
    return true
  }

  /// `_` is 0, `0_` is 1, `Z_` is 62.
  mutating func base62() throws(Invalid) -> UInt64 {
    if accept("_") { return 0 }
    var value: UInt64 = 0
    while true {
      let byte = try next()
      let digit: UInt64
      switch byte {
      case 0x30...0x39: digit = UInt64(byte - 0x30)
      case 0x61...0x7a: digit = UInt64(byte - 0x61) + 10
      case 0x41...0x5a: digit = UInt64(byte - 0x41) + 36
      case 0x5f:
        let (result, overflow) = value.addingReportingOverflow(1)
        guard !overflow else { throw Invalid() }
        return result
      default: throw Invalid()
      }
      let (product, overflow) = value.multipliedReportingOverflow(by: 62)
      let (sum, carry) = product.addingReportingOverflow(digit)
      guard !overflow, !carry else { throw Invalid() }
      value = sum
    }
  }

  /// A base-62 number after `tag`; without it 0, with it one more.
  mutating func optionalBase62(_ tag: Character) throws(Invalid) -> UInt64 {
    guard accept(tag) else { return 0 }
    let (value, overflow) = try base62().addingReportingOverflow(1)
    guard !overflow else { throw Invalid() }
    return value
  }

  mutating func identifier() throws(Invalid) -> [UInt8] {
    let isPunycode = accept("u")
    guard let first = peek, first.isDigit else { throw Invalid() }
    var length = 0
    repeat {
      length = length * 10 + Int(try next() - 0x30)
      guard length <= name.count else { throw Invalid() }
    } while length > 0 && (peek?.isDigit ?? false)
    _ = accept("_")
    guard length <= name.count - position else { throw Invalid() }
    let text = name[position..<(position + length)]
    position += length
    guard isPunycode else { return Array(text) }
    guard let decoded = Punycode.decode(text) else { throw Invalid() }
    return Array(decoded.utf8)
  }

  /// Runs `body` one level deeper.
  mutating func deeper(
    _ body: (inout RustName) throws(Invalid) -> Void
  ) throws(Invalid) {
    depth += 1
    guard depth <= Self.deepest else { throw Invalid() }
    try body(&self)
    depth -= 1
  }

  /// Reads a back reference, whose tag was at `start`, and runs `body` at the place it names.
  mutating func backReference(
    from start: Int, _ body: (inout RustName) throws(Invalid) -> Void
  ) throws(Invalid) {
    let target = try base62()
    // Offsets count from after `_R`.
    guard target < UInt64(start - 2) else { throw Invalid() }
    guard skipping == 0 else { return }
    let resume = position
    position = Int(target) + 2
    try deeper(body)
    position = resume
  }

  // MARK: - Writing

  mutating func write(_ text: String) throws(Invalid) { try write(Array(text.utf8)) }

  mutating func write(_ text: [UInt8]) throws(Invalid) {
    guard skipping == 0 else { return }
    guard output.count + text.count <= Self.longestOutput else { throw Invalid() }
    output += text
  }

  // MARK: - Paths

  mutating func path(isValue: Bool) throws(Invalid) {
    try deeper { (parser) throws(Invalid) in try parser.pathHere(isValue: isValue) }
  }

  mutating func pathHere(isValue: Bool) throws(Invalid) {
    let start = position
    switch try next() {
    case 0x43:  // C: a crate
      let disambiguator = try optionalBase62("s")
      try write(try identifier())
      if isFull { try write("[" + String(disambiguator, radix: 16) + "]") }
    case 0x4e:  // N: a name in a path
      let namespace = try next()
      try path(isValue: isValue)
      let disambiguator = try optionalBase62("s")
      try nested(namespace, try identifier(), disambiguator)
    case 0x4d:  // M: an inherent impl
      try skipImplPath()
      try write("<")
      try type()
      try write(">")
    case 0x58:  // X: a trait impl
      try skipImplPath()
      try qualified()
    case 0x59: try qualified()  // Y: a trait's own item
    case 0x49:  // I: generic arguments
      try path(isValue: isValue)
      try write(isValue ? "::<" : "<")
      try list { (parser) throws(Invalid) in try parser.genericArgument() }
      try write(">")
    case 0x42:
      try backReference(from: start) { (parser) throws(Invalid) in
        try parser.path(isValue: isValue)
      }
    default: throw Invalid()
    }
  }

  mutating func nested(
    _ namespace: UInt8, _ text: [UInt8], _ disambiguator: UInt64
  ) throws(Invalid) {
    switch namespace {
    case 0x41...0x5a:
      let kind =
        switch namespace {
        case 0x43: "closure"
        case 0x53: "shim"
        default: String(Character(Unicode.Scalar(namespace)))
        }
      try write("::{" + kind)
      if !text.isEmpty { try write([0x3a] + text) }
      try write("#\(disambiguator)}")
    case 0x61...0x7a:
      if !text.isEmpty { try write([0x3a, 0x3a] + text) }
    default: throw Invalid()
    }
  }

  mutating func skipImplPath() throws(Invalid) {
    _ = try optionalBase62("s")
    skipping += 1
    try path(isValue: false)
    skipping -= 1
  }

  mutating func qualified() throws(Invalid) {
    try write("<")
    try type()
    try write(" as ")
    try path(isValue: false)
    try write(">")
  }

  mutating func genericArgument() throws(Invalid) {
    if accept("L") {
      try lifetime(try base62())
    } else if accept("K") {
      try constant()
    } else {
      try type()
    }
  }

  /// Elements until `E`, separated by commas; their number.
  @discardableResult
  mutating func list(
    _ element: (inout RustName) throws(Invalid) -> Void
  ) throws(Invalid) -> Int {
    var count = 0
    while !accept("E") {
      if count > 0 { try write(", ") }
      try element(&self)
      count += 1
    }
    return count
  }

  mutating func lifetime(_ index: UInt64) throws(Invalid) {
    try write("'")
    guard index > 0 else { return try write("_") }
    guard index <= boundLifetimes else { throw Invalid() }
    let depth = boundLifetimes - index
    if depth < 26 {
      try write([0x61 + UInt8(depth)])
    } else {
      try write("_\(depth)")
    }
  }

  /// `for<'a, 'b> ` around `body`.
  mutating func binder(
    _ body: (inout RustName) throws(Invalid) -> Void
  ) throws(Invalid) {
    let count = try optionalBase62("G")
    guard count <= 4096 else { throw Invalid() }
    let outer = boundLifetimes
    if count > 0 {
      try write("for<")
      for index in 0..<count {
        if index > 0 { try write(", ") }
        boundLifetimes += 1
        try lifetime(1)
      }
      try write("> ")
    }
    try body(&self)
    boundLifetimes = outer
  }
}
