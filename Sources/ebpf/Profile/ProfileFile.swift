import EBPF
import ProfileFormats
import Profiles

/// A profile in a file, in the format that was asked for.
struct ProfileFile {
  let path: String?
  let format: ProfileFormat?

  /// Writes the file if one was asked for; returns its path.
  func write(_ profile: Profile, _ options: ProfileOptions) throws(EBPFError) -> String? {
    guard let path else { return nil }
    guard let format = format ?? ProfileFormat(path: path) else {
      throw EBPFError(.invalidArgument, "no format for '\(path)'")
    }
    try ResultFile(path: path).write(try ProfileFile.encode(profile, format, options))
    return path
  }

  /// The bytes of a file.
  static func encode(
    _ profile: Profile, _ format: ProfileFormat, _ options: ProfileOptions
  ) throws(EBPFError) -> [UInt8] {
    do throws(ProfileFormatError) { return try format.encode(profile, options: options) } catch {
      throw EBPFError(.unsupported, "\(error)")
    }
  }
}
