/// Rust's second mangling, `_R…` (RFC 2603, "Rust Symbol Name Mangling v0").
///
/// A recursive descent that writes as it reads. Depth, steps and output are all limited, since a name
/// may refer back to its own parts any number of times.
struct RustName {
  private let name: [UInt8]
  private(set) var position: Int
  private let isFull: Bool
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

  private mutating func symbol() throws(Invalid) {
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

  private var peek: UInt8? { position < name.count ? name[position] : nil }

  private mutating func next() throws(Invalid) -> UInt8 {
    guard position < name.count else { throw Invalid() }
    position += 1
    steps += 1
    guard steps <= Self.mostSteps else { throw Invalid() }
    return name[position - 1]
  }

  private mutating func accept(_ byte: Character) -> Bool {
    guard let wanted = byte.asciiValue, peek == wanted else { return false }
    position += 1
    return true
  }

  /// `_` is 0, `0_` is 1, `Z_` is 62.
  private mutating func base62() throws(Invalid) -> UInt64 {
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
  private mutating func optionalBase62(_ tag: Character) throws(Invalid) -> UInt64 {
    guard accept(tag) else { return 0 }
    let (value, overflow) = try base62().addingReportingOverflow(1)
    guard !overflow else { throw Invalid() }
    return value
  }

  private mutating func identifier() throws(Invalid) -> [UInt8] {
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
  private mutating func deeper(
    _ body: (inout RustName) throws(Invalid) -> Void
  ) throws(Invalid) {
    depth += 1
    guard depth <= Self.deepest else { throw Invalid() }
    try body(&self)
    depth -= 1
  }

  /// Reads a back reference, whose tag was at `start`, and runs `body` at the place it names.
  private mutating func backReference(
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

  private mutating func write(_ text: String) throws(Invalid) { try write(Array(text.utf8)) }

  private mutating func write(_ text: [UInt8]) throws(Invalid) {
    guard skipping == 0 else { return }
    guard output.count + text.count <= Self.longestOutput else { throw Invalid() }
    output += text
  }

  // MARK: - Paths

  private mutating func path(isValue: Bool) throws(Invalid) {
    try deeper { (parser) throws(Invalid) in try parser.pathHere(isValue: isValue) }
  }

  private mutating func pathHere(isValue: Bool) throws(Invalid) {
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

  private mutating func nested(
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

  private mutating func skipImplPath() throws(Invalid) {
    _ = try optionalBase62("s")
    skipping += 1
    try path(isValue: false)
    skipping -= 1
  }

  private mutating func qualified() throws(Invalid) {
    try write("<")
    try type()
    try write(" as ")
    try path(isValue: false)
    try write(">")
  }

  private mutating func genericArgument() throws(Invalid) {
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
  private mutating func list(
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

  private mutating func lifetime(_ index: UInt64) throws(Invalid) {
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
  private mutating func binder(
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

  // MARK: - Types

  private mutating func type() throws(Invalid) {
    try deeper { (parser) throws(Invalid) in try parser.typeHere() }
  }

  private mutating func typeHere() throws(Invalid) {
    let start = position
    let tag = try next()
    if let basic = Self.basicTypes[tag] { return try write(basic) }
    switch tag {
    case 0x41:  // A: an array
      try write("[")
      try type()
      try write("; ")
      try constant()
      try write("]")
    case 0x53:  // S: a slice
      try write("[")
      try type()
      try write("]")
    case 0x54:  // T: a tuple
      try write("(")
      let count = try list { (parser) throws(Invalid) in try parser.type() }
      try write(count == 1 ? ",)" : ")")
    case 0x52, 0x51:  // R and Q: references
      try write("&")
      if accept("L") {
        let index = try base62()
        if index > 0 {
          try lifetime(index)
          try write(" ")
        }
      }
      if tag == 0x51 { try write("mut ") }
      try type()
    case 0x50, 0x4f:  // P and O: pointers
      try write(tag == 0x50 ? "*const " : "*mut ")
      try type()
    case 0x46: try binder { (parser) throws(Invalid) in try parser.functionType() }
    case 0x44: try traitObject()
    case 0x42: try backReference(from: start) { (parser) throws(Invalid) in try parser.type() }
    default:
      position = start
      try path(isValue: false)
    }
  }

  private static let basicTypes: [UInt8: String] = Dictionary(
    uniqueKeysWithValues: [
      ("a", "i8"), ("b", "bool"), ("c", "char"), ("d", "f64"), ("e", "str"), ("f", "f32"),
      ("h", "u8"), ("i", "isize"), ("j", "usize"), ("l", "i32"), ("m", "u32"), ("n", "i128"),
      ("o", "u128"), ("p", "_"), ("s", "i16"), ("t", "u16"), ("u", "()"), ("v", "..."),
      ("x", "i64"), ("y", "u64"), ("z", "!"),
    ].map { ($0.0.utf8.first ?? 0, $0.1) })

  private mutating func functionType() throws(Invalid) {
    if accept("U") { try write("unsafe ") }
    if accept("K") {
      if accept("C") {
        try write("extern \"C\" ")
      } else {
        let abi = try identifier().map { $0 == 0x5f ? 0x2d : $0 }
        try write("extern \"" + String(decoding: abi, as: UTF8.self) + "\" ")
      }
    }
    try write("fn(")
    try list { (parser) throws(Invalid) in try parser.type() }
    try write(")")
    if accept("u") { return }
    try write(" -> ")
    try type()
  }

  private mutating func traitObject() throws(Invalid) {
    try write("dyn ")
    try binder { (parser) throws(Invalid) in
      var count = 0
      while !parser.accept("E") {
        if count > 0 { try parser.write(" + ") }
        try parser.boundTrait()
        count += 1
      }
    }
    guard accept("L") else { throw Invalid() }
    let index = try base62()
    if index > 0 {
      try write(" + ")
      try lifetime(index)
    }
  }

  /// A trait with its associated types inside the brackets of its arguments.
  private mutating func boundTrait() throws(Invalid) {
    var isOpen = try openPath()
    while accept("p") {
      try write(isOpen ? ", " : "<")
      isOpen = true
      try write(try identifier())
      try write(" = ")
      try type()
    }
    if isOpen { try write(">") }
  }

  /// A path whose last bracket is left open; true when there is one.
  private mutating func openPath() throws(Invalid) -> Bool {
    let start = position
    var isOpen = false
    switch peek {
    case 0x42:
      _ = try next()
      try backReference(from: start) { (parser) throws(Invalid) in
        isOpen = try parser.openPath()
      }
    case 0x49:
      _ = try next()
      try path(isValue: false)
      try write("<")
      try list { (parser) throws(Invalid) in try parser.genericArgument() }
      isOpen = true
    default: try path(isValue: false)
    }
    return isOpen
  }

  // MARK: - Constants

  private mutating func constant() throws(Invalid) {
    try deeper { (parser) throws(Invalid) in try parser.constantHere() }
  }

  private mutating func constantHere() throws(Invalid) {
    let start = position
    let tag = try next()
    switch tag {
    case 0x70: try write("_")  // p: left open
    case 0x42:
      try backReference(from: start) { (parser) throws(Invalid) in try parser.constant() }
    case 0x62:  // b: true or false
      switch try hexadecimal() {
      case [0x30]: try write("false")
      case [0x31]: try write("true")
      default: throw Invalid()
      }
    case 0x63:  // c: a character
      guard let value = UInt32(String(decoding: try hexadecimal(), as: UTF8.self), radix: 16),
        let scalar = Unicode.Scalar(value)
      else { throw Invalid() }
      try write("'" + (scalar == "'" ? "\\'" : scalar.escaped(asASCII: false)) + "'")
    case 0x61, 0x69, 0x6c, 0x6e, 0x73, 0x78:  // signed integers
      if accept("n") { try write("-") }
      try integer(tag)
    case 0x68, 0x6a, 0x6d, 0x6f, 0x74, 0x79: try integer(tag)
    default: throw Invalid()
    }
  }

  private mutating func integer(_ tag: UInt8) throws(Invalid) {
    let digits = String(decoding: try hexadecimal(), as: UTF8.self)
    if let value = UInt64(digits, radix: 16) {
      try write(String(value))
    } else {
      try write("0x" + digits)
    }
    if isFull { try write(Self.basicTypes[tag] ?? "") }
  }

  /// Lower-case hexadecimal digits up to `_`.
  private mutating func hexadecimal() throws(Invalid) -> [UInt8] {
    var digits: [UInt8] = []
    while true {
      let byte = try next()
      if byte == 0x5f { break }
      guard byte.isDigit || (0x61...0x66).contains(byte) else { throw Invalid() }
      digits.append(byte)
    }
    return digits.isEmpty ? [0x30] : digits
  }
}
