/// The kernel's helper functions: number, name, and the release each appeared in.
///
/// Names are those of `linux/bpf.h` (`__BPF_FUNC_MAPPER`) without the `bpf_` prefix. No helper has
/// been added since 211; kernels grow by kfuncs now, which have names instead of numbers.
public enum HelperTable {
  /// The numbers that have a helper.
  public static var ids: ClosedRange<Int32> { 1...Int32(names.count - 1) }

  /// The name of a helper, such as `map_lookup_elem` for 1; nil when no kernel has that number.
  public static func name(of id: Int32) -> String? {
    ids.contains(id) ? names[Int(id)] : nil
  }

  /// The number of a helper, by its name with or without `bpf_`.
  public static func id(named name: String) -> Int32? {
    let bare = name.hasPrefix("bpf_") ? String(name.dropFirst(4)) : name
    guard let index = names.firstIndex(of: bare), index > 0 else { return nil }
    return Int32(index)
  }

  /// The first release that has a helper; nil when no kernel has that number.
  ///
  /// The release says that a program of *some* type may call it; a type may have gained it later.
  public static func firstKernel(of id: Int32) -> KernelVersion? {
    guard ids.contains(id) else { return nil }
    return releases.last { $0.firstID <= id }?.version
  }

  /// Numbers are given out in order of merging, so the first number of each release says it all.
  ///
  /// Source: the history of `include/uapi/linux/bpf.h`, release by release.
  private static let releases: [(firstID: Int32, version: KernelVersion)] = [
    (1, KernelVersion(3, 19)), (4, KernelVersion(4, 1)), (12, KernelVersion(4, 2)),
    (17, KernelVersion(4, 3)), (23, KernelVersion(4, 4)), (26, KernelVersion(4, 5)),
    (27, KernelVersion(4, 6)), (31, KernelVersion(4, 8)), (37, KernelVersion(4, 9)),
    (42, KernelVersion(4, 10)), (45, KernelVersion(4, 11)), (46, KernelVersion(4, 12)),
    (48, KernelVersion(4, 13)), (51, KernelVersion(4, 14)), (54, KernelVersion(4, 15)),
    (58, KernelVersion(4, 16)), (60, KernelVersion(4, 17)), (65, KernelVersion(4, 18)),
    (81, KernelVersion(4, 19)), (84, KernelVersion(4, 20)), (91, KernelVersion(5, 0)),
    (93, KernelVersion(5, 1)), (99, KernelVersion(5, 2)), (109, KernelVersion(5, 3)),
    (110, KernelVersion(5, 4)), (111, KernelVersion(5, 5)), (116, KernelVersion(5, 6)),
    (119, KernelVersion(5, 7)), (125, KernelVersion(5, 8)), (136, KernelVersion(5, 9)),
    (142, KernelVersion(5, 10)), (156, KernelVersion(5, 11)), (163, KernelVersion(5, 12)),
    (164, KernelVersion(5, 13)), (166, KernelVersion(5, 14)), (169, KernelVersion(5, 15)),
    (176, KernelVersion(5, 16)), (180, KernelVersion(5, 17)), (186, KernelVersion(5, 18)),
    (194, KernelVersion(5, 19)), (204, KernelVersion(6, 0)), (208, KernelVersion(6, 1)),
    (210, KernelVersion(6, 2)),
  ]
}
