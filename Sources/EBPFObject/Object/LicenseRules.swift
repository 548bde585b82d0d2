/// What the kernel asks of a program's license.
public enum LicenseRules {
  /// True for the licenses that the kernel takes as compatible with the GPL
  /// (`license_is_gpl_compatible`, `include/linux/license.h`).
  public static func isGPLCompatible(_ license: String) -> Bool {
    compatible.contains(license)
  }

  /// True for a helper that only GPL-compatible programs may call (`gpl_only` in its prototype).
  ///
  /// Compared with the running kernel by the tests, which try every helper.
  public static func requiresGPL(helper id: Int32) -> Bool { restrictedHelpers.contains(id) }

  /// True for program types that load only with a GPL-compatible license.
  public static func requiresGPL(_ type: ProgramType) -> Bool {
    type == .structOps || type == .lsm
  }

  private static let compatible: Set<String> = [
    "GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL",
  ]

  private static let restrictedHelpers: Set<Int32> = [
    4, 6, 22, 25, 27, 35, 36, 45, 55, 56, 58, 67, 69, 77, 78, 92, 100, 110, 111, 112, 113, 114,
    115, 119, 121, 126, 127, 150, 158, 163, 165, 169, 170, 171, 172, 173, 175, 176, 177, 191, 204,
    205, 206, 207,
  ]
}
