/// A variable in one of an object's data sections.
public struct GlobalVariable: Sendable, Hashable {
  /// Its name in C.
  public var name: String
  /// Its section: `.rodata`, `.data.config` …
  public var sectionName: String
  /// The map that holds it.
  public var mapName: String
  /// Where it begins in the map's value.
  public var offset: UInt32
  /// Its size in bytes.
  public var size: UInt32
  /// Its type in the object's BTF.
  public var typeID: UInt32
  /// True when only its own file sees it.
  public var isStatic: Bool
}

/// A variable that the loader fills from the kernel's configuration (`__kconfig`).
public struct ConfigurationVariable: Sendable, Hashable {
  /// How a configuration value becomes bytes.
  public enum Kind: Sendable, Hashable {
    /// `bool`: y or n.
    case boolean
    /// `enum libbpf_tristate`: n 0, y 1, m 2.
    case tristate
    /// A single character.
    case character
    /// An integer of ``ConfigurationVariable/size`` bytes.
    case integer(isSigned: Bool)
    /// A zero-terminated text of at most ``ConfigurationVariable/size`` bytes.
    case string
  }
  /// `CONFIG_HZ`, or one of libbpf's virtual names such as `LINUX_KERNEL_VERSION`.
  public var name: String
  /// Where it is in the `.kconfig` map's value.
  public var offset: UInt32
  /// Its size in bytes.
  public var size: UInt32
  /// How it is filled.
  public var kind: Kind
  /// True when a kernel without the option is fine: the value is 0 then.
  public var isWeak: Bool
}

/// A kernel variable or function an object refers to (`__ksym`).
public struct KernelSymbol: Sendable, Hashable {
  /// The symbol's name in the kernel.
  public var name: String
  /// True for a function (kfunc).
  public var isFunction: Bool
  /// Its `VAR` or `FUNC` in the object's BTF; 0 for a variable declared `void`.
  public var typeID: UInt32
  /// True when a kernel without it is fine: its address is 0 then.
  public var isWeak: Bool
}
