// Types and constants of Rust names (RFC 2603).

extension RustName {
  mutating func type() throws(Invalid) {
    try deeper { (parser) throws(Invalid) in try parser.typeHere() }
  }

  mutating func typeHere() throws(Invalid) {
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

  mutating func functionType() throws(Invalid) {
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

  mutating func traitObject() throws(Invalid) {
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
  mutating func boundTrait() throws(Invalid) {
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
  mutating func openPath() throws(Invalid) -> Bool {
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

  mutating func constant() throws(Invalid) {
    try deeper { (parser) throws(Invalid) in try parser.constantHere() }
  }

  mutating func constantHere() throws(Invalid) {
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

  mutating func integer(_ tag: UInt8) throws(Invalid) {
    let digits = String(decoding: try hexadecimal(), as: UTF8.self)
    if let value = UInt64(digits, radix: 16) {
      try write(String(value))
    } else {
      try write("0x" + digits)
    }
    if isFull { try write(Self.basicTypes[tag] ?? "") }
  }

  /// Lower-case hexadecimal digits up to `_`.
  mutating func hexadecimal() throws(Invalid) -> [UInt8] {
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
