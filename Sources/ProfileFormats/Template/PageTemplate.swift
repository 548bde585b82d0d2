/// The page around a profile: markup, style and script, in one file that asks the network nothing.
enum PageTemplate {
  /// The script as a whole; its parts share one scope, which nothing outside can reach into.
  static let script = [
    "(() => {\n\"use strict\";", model, text, canvas, table, state, start, "})();",
  ]
  .joined(separator: "\n\n")

  /// The file: `title` becomes text, and `data` must be JSON without `<`.
  static func page(title: String, data: [UInt8]) -> [UInt8] {
    let head = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
      style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
      <meta name="color-scheme" content="light dark">
      <title>\(title.escapedForMarkup)</title>
      <style>
      \(style)
      </style>
      </head>
      <body>
      \(body)
      <script type="application/json" id="profile">
      """
    let tail = "</script>\n<script>\n\(script)\n</script>\n</body>\n</html>\n"
    return Array(head.utf8) + data + Array(tail.utf8)
  }
}

extension String {
  /// Text for HTML and XML, in elements and attributes; what XML cannot hold becomes U+FFFD.
  var escapedForMarkup: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n", "\r": result += " "
      case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
