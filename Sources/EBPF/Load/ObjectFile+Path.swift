extension ObjectFile {
  /// Reads and links the object in a file.
  ///
  /// - Parameters:
  ///   - path: a regular file; its name without folder and ending prefixes the data maps.
  ///   - sizeLimit: a larger file is refused before anything is read from it.
  public init(path: String, sizeLimit: Int = ObjectFile.standardSizeLimit) throws(EBPFError) {
    let bytes = try InputFile.object(
      path, sizeLimit: sizeLimit,
      limitHint: "if it is meant to be that large, raise the limit: ObjectFile(path:sizeLimit:)")
    try self.init(parsing: bytes, name: path, sizeLimit: sizeLimit, decompressor: .zlib)
  }
}
