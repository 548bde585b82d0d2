import ProfileFormats
import Profiles
import TestSupport

/// Programs in other languages that read what was written here.
enum Oracle {
  private static var root: String {
    String(#filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 })
  }

  /// What `Tests/Oracles/SCRIPT` prints about `bytes`, which it gets as a file.
  static func read(
    _ bytes: [UInt8], with script: String, arguments: [String] = []
  ) throws -> String {
    let directory = try TemporaryDirectory()
    let file = try directory.write(bytes, to: "profile")
    return try Command.output(
      ["python3", "\(root)/Tests/Oracles/\(script)"] + arguments + [file])
  }

  /// What Google's protobuf finds in a pprof file: a line of facts, then one for each stack.
  static func pprof(_ bytes: [UInt8]) throws -> [String] {
    try read(bytes, with: "read_pprof.py", arguments: ["\(root)/scripts/proto/profile.proto"])
      .split(separator: "\n").map(String.init)
  }
}

extension Profile {
  /// Names that break careless writers.
  static let hostileNames = [
    "</script><script>alert(1)</script>", "<!--<script>", "a\"b'c&amp;d", "semi;colon\nline",
    "\u{0}\u{1}\u{1F}\u{7F}", "\u{2028}\u{2029}", "emoji 🔥 and 漢字", "back\\slash", "]]>", "",
    "e\u{301}", "\u{202E}evil", "${x}`y`", "operator<< <std::vector<int>>", "-->",
    "\u{FFFF}\u{FEFF}",
  ]

  /// One sample for each hostile name, as function, module and command.
  static func hostile() -> Profile {
    var sketch = ProfileSketch()
    for name in hostileNames {
      sketch.add(
        [sketch.frame("main"), sketch.frame(name, module: name, file: name)], command: name)
    }
    return sketch.profile
  }
}
