import ProfileFormats
import Profiles
import TestSupport

/// A headless Chromium that loads a page, runs a script in it, and gives back what it printed.
enum Browser {
  static let isInstalled =
    (try? Command.run(["sh", "-c", "command -v chromium"]))?.status == 0

  /// The browser did not give the page back.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs `script` in a page for `profile`; it prints by `print(value)`, a line of ASCII JSON each.
  static func run(
    _ profile: Profile, options: ProfileOptions = ProfileOptions(), fragment: String = "",
    script: String
  ) throws -> [String] {
    let page = try ProfileFormat.html.encode(profile, options: options)
    let driver = """
      <pre id="printed"></pre><script>
      const print = (value) => {
        const escape = (c) => "\\\\u" + c.charCodeAt(0).toString(16).padStart(4, "0");
        const text = JSON.stringify(value).replace(/[<>&\\u007f-\\uffff]/g, escape);
        document.getElementById("printed").textContent += text + "\\n";
      };
      const press = (key, target = document.body) =>
        target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      const id = (name) => document.getElementById(name);
      const rows = () => [...document.querySelectorAll("#table-body tr")].map((row) =>
        [...row.cells].map((cell) => cell.querySelector("span:last-child").textContent));
      try {
      \(script)
      } catch (error) { print("failed: " + error.stack); }
      </script>
      """
    let directory = try TemporaryDirectory()
    let file = try directory.write(page + Array(driver.utf8), to: "page.html")
    let result = try Command.run([
      "timeout", "50", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
      "--disable-dev-shm-usage", "--window-size=1200,800",
      "--user-data-dir=\(directory.path)/user", "--dump-dom", "file://\(file)\(fragment)",
    ])
    guard result.status == 0,
      let start = result.output.firstRange(of: #"<pre id="printed">"#)?.upperBound,
      let end = result.output[start...].firstRange(of: "</pre>")?.lowerBound
    else {
      throw Failure(description: "chromium: \(result.status) \(result.error)")
    }
    return result.output[start..<end].split(separator: "\n").map(String.init)
  }

  /// What the page prints for a string.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for unit in text.utf16 {
      switch unit {
      case 0x22: result += #"\""#
      case 0x5C: result += #"\\"#
      case 0x08: result += #"\b"#
      case 0x09: result += #"\t"#
      case 0x0A: result += #"\n"#
      case 0x0C: result += #"\f"#
      case 0x0D: result += #"\r"#
      case 0x00...0x1F, 0x26, 0x3C, 0x3E, 0x7F...:
        let digits = String(unit, radix: 16)
        result += #"\u"# + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
      }
    }
    return result + "\""
  }
}
