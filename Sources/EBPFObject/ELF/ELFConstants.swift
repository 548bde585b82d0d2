// Numbers of the ELF format, from the System V ABI (gABI chapters "Object Files" and "Program
// Loading") and its GNU extensions as `elf.h` names them.

extension ELFFile {
  /// Values of ``ELFFile/type`` (`ET_*`).
  public enum FileType {
    /// An object file not yet linked: BPF objects and kernel modules.
    public static let relocatable: UInt16 = 1
    /// An executable at fixed addresses.
    public static let executable: UInt16 = 2
    /// A shared library, or a position-independent executable.
    public static let shared: UInt16 = 3
    /// A core dump.
    public static let core: UInt16 = 4
  }

  /// Values of ``ELFFile/machine`` (`EM_*`) that this library meets.
  public enum Machine {
    /// 32-bit x86.
    public static let i386: UInt16 = 3
    /// 64-bit IBM Z.
    public static let s390: UInt16 = 22
    /// 64-bit x86.
    public static let x86_64: UInt16 = 62
    /// 64-bit Arm.
    public static let aarch64: UInt16 = 183
    /// eBPF.
    public static let bpf: UInt16 = 247
  }

  /// Values of ``Section/type`` (`SHT_*`).
  public enum SectionType {
    /// An unused header.
    public static let null: UInt32 = 0
    /// Content whose meaning the program defines.
    public static let programBits: UInt32 = 1
    /// The full symbol table.
    public static let symbolTable: UInt32 = 2
    /// Zero-terminated names.
    public static let stringTable: UInt32 = 3
    /// Relocations with an explicit addend.
    public static let relocationsWithAddend: UInt32 = 4
    /// Dynamic linking information.
    public static let dynamic: UInt32 = 6
    /// Notes.
    public static let note: UInt32 = 7
    /// Zeroed memory: no bytes in the file.
    public static let noBits: UInt32 = 8
    /// Relocations whose addend is in the relocated place.
    public static let relocations: UInt32 = 9
    /// The symbols needed for dynamic linking.
    public static let dynamicSymbols: UInt32 = 11
    /// Section indexes of symbols that do not fit in 16 bits.
    public static let extendedSectionIndexes: UInt32 = 18
    /// LLVM's address-significance table; every clang-made object has one.
    public static let llvmAddressSignificance: UInt32 = 0x6fff_4c03
    /// Version definitions (`.gnu.version_d`).
    public static let versionDefinitions: UInt32 = 0x6fff_fffd
    /// Version needs (`.gnu.version_r`).
    public static let versionNeeds: UInt32 = 0x6fff_fffe
    /// One version index a dynamic symbol (`.gnu.version`).
    public static let versionSymbols: UInt32 = 0x6fff_ffff
  }

  /// Bits of ``Section/flags`` (`SHF_*`).
  public enum SectionFlag {
    /// Writable at run time.
    public static let write: UInt64 = 0x1
    /// Occupies memory at run time.
    public static let allocate: UInt64 = 0x2
    /// Machine instructions.
    public static let executable: UInt64 = 0x4
    /// The content begins with a compression header.
    public static let compressed: UInt64 = 0x800
  }

  /// Values of ``Segment/type`` (`PT_*`).
  public enum SegmentType {
    /// Mapped into memory.
    public static let load: UInt32 = 1
    /// Dynamic linking information.
    public static let dynamic: UInt32 = 2
    /// The path of the program interpreter.
    public static let interpreter: UInt32 = 3
    /// Notes.
    public static let note: UInt32 = 4
    /// What each thread gets a copy of.
    public static let threadLocal: UInt32 = 7
  }

  /// Bits of ``Segment/flags`` (`PF_*`).
  public enum SegmentFlag {
    /// Mapped executable.
    public static let execute: UInt32 = 1
    /// Mapped writable.
    public static let write: UInt32 = 2
    /// Mapped readable.
    public static let read: UInt32 = 4
  }

  /// Values of ``Symbol/type`` (`STT_*`).
  public enum SymbolType {
    /// Not specified.
    public static let none: UInt8 = 0
    /// A variable.
    public static let object: UInt8 = 1
    /// A function.
    public static let function: UInt8 = 2
    /// A section's own symbol; it usually has no name.
    public static let section: UInt8 = 3
    /// A source file's name.
    public static let file: UInt8 = 4
    /// An uninitialised common block.
    public static let common: UInt8 = 5
    /// A thread-local variable: the value is an offset.
    public static let threadLocal: UInt8 = 6
    /// A resolver that returns the function to use (`STT_GNU_IFUNC`): the value is the resolver's
    /// address, not the function's.
    public static let indirectFunction: UInt8 = 10
  }

  /// Values of ``Symbol/binding`` (`STB_*`).
  public enum SymbolBinding {
    /// Seen only inside its file.
    public static let local: UInt8 = 0
    /// Seen everywhere.
    public static let global: UInt8 = 1
    /// Seen everywhere, and overridden by a global one.
    public static let weak: UInt8 = 2
    /// One in the whole process (`STB_GNU_UNIQUE`).
    public static let unique: UInt8 = 10
  }

  /// Values of ``Symbol/visibility`` (`STV_*`).
  public enum SymbolVisibility {
    /// As the binding says.
    public static let standard: UInt8 = 0
    /// Reserved for processors.
    public static let `internal`: UInt8 = 1
    /// Not seen by other components.
    public static let hidden: UInt8 = 2
    /// Seen, but not overridden.
    public static let protected: UInt8 = 3
  }
}
