internal import EBPFSystem

extension SystemChecker {
  // MARK: kernel

  mutating func checkKernel() {
    checkVersion()
    checkTypes()
    checkCompiler()
    checkLockdown()
  }

  private mutating func checkVersion() {
    let name = SystemCheck.versionRow
    do throws(Errno) {
      let names = try MachineNames.current()
      release = names.release
      machine = names.machine
    } catch {
      add("kernel", name, .unknown, "uname: \(error)")
      return
    }
    do throws(EBPFError) {
      let version = try KernelVersion(release: release)
      let isNewEnough = version >= SystemCheck.oldestKernel
      add(
        "kernel", name, isNewEnough ? .yes : .no, "found \(version) (\(release))",
        remedy: isNewEnough ? nil : "update the kernel to \(SystemCheck.oldestKernel) or newer")
    } catch { add("kernel", name, .unknown, error.message) }
  }

  private mutating func checkTypes() {
    do throws(EBPFError) {
      let types = try features.types.vmlinux()
      add("kernel", "BTF", .yes, "\(types.typeCount) types")
    } catch {
      let remedy = error.hint ?? "objects without CO-RE load all the same"
      switch error.code {
      case .unsupported where error.systemCall != nil:
        add("kernel", "BTF", .no, "missing: \(error.message)", remedy: remedy)
      case .denied: add("kernel", "BTF", .unknown, "unreadable: \(error.message)", remedy: remedy)
      default: add("kernel", "BTF", .no, "unreadable: \(error.message)", remedy: remedy)
      }
    }
  }

  /// Interpreted programs are slow, and some features need the compiler.
  private mutating func checkCompiler() {
    var request = ProgramRequest(type: ProgramType.socketFilter.rawValue)
    request.license = "GPL"
    var log = KernelLog.none
    do throws(Errno) {
      let program = try features.kernel.loadProgram(
        request, instructions: KernelFeatures.returnZero, log: &log)
      let information = try features.kernel.programInformation(program.rawValue, details: [])
      let isCompiled = information.machineCodeSize > 0
      add(
        "kernel", "JIT compiler", isCompiled ? .yes : .no,
        isCompiled
          ? "a program of 2 instructions became \(information.machineCodeSize) bytes"
          : "programs are interpreted",
        remedy: isCompiled ? nil : "sysctl net.core.bpf_jit_enable=1")
    } catch {
      do throws(Errno) {
        let setting = try SystemFile.integer("/proc/sys/net/core/bpf_jit_enable")
        add(
          "kernel", "JIT compiler", setting > 0 ? .yes : .no,
          "net.core.bpf_jit_enable is \(setting)")
      } catch let unreadable {
        add(
          "kernel", "JIT compiler", .unknown,
          "no program loads (\(error.name)), and the setting cannot be read (\(unreadable.name))")
      }
    }
  }

  private mutating func checkLockdown() {
    do throws(Errno) {
      let mode = try Lockdown.mode()
      let isConfidential = mode == "confidentiality"
      add(
        "kernel", "no lockdown of kernel memory", isConfidential ? .no : .yes,
        "lockdown is \(mode)",
        remedy: isConfidential
          ? "boot with lockdown=integrity: programs then may read kernel memory" : nil)
    } catch {
      add(
        "kernel", "no lockdown of kernel memory", .unknown,
        "\(Lockdown.path): \(error.name)",
        remedy: error == .noEntry
          ? "mount -t securityfs securityfs /sys/kernel/security shows it" : nil)
    }
  }

  // MARK: mounts

  mutating func checkMounts() {
    let group = "mounts"
    do throws(EBPFError) {
      let tracefs = try Tracefs.mounted()
      add(group, "tracefs", .yes, tracefs.directory)
    } catch { add(group, "tracefs", .no, error.message, remedy: error.hint) }
    do throws(Errno) {
      let isBPF = try FileSystem.type(Pinning.defaultDirectory) == FileSystem.bpf
      add(
        group, "bpf file system", isBPF ? .yes : .no,
        isBPF ? Pinning.defaultDirectory : "\(Pinning.defaultDirectory) is another file system",
        remedy: isBPF ? nil : "mount -t bpf bpf \(Pinning.defaultDirectory)")
    } catch {
      add(
        group, "bpf file system", .no, "\(Pinning.defaultDirectory): \(error)",
        remedy: "mount -t bpf bpf \(Pinning.defaultDirectory)")
    }
    do throws(EBPFError) {
      add(group, "cgroup2", .yes, try ControlGroup.mountPoint())
    } catch { add(group, "cgroup2", .no, error.message, remedy: error.hint) }
  }

  // MARK: settings

  mutating func checkLimits() {
    let group = "settings"
    func value(_ path: String) -> Int? {
      do throws(Errno) { return try SystemFile.integer("/proc/sys/\(path)") } catch { return nil }
    }
    func setting(_ name: String, _ path: String, _ judge: (Int) -> (Bool, String, String?))
      -> SystemCheck.Row
    {
      guard let value = value(path) else {
        return SystemCheck.Row(
          group: group, name: name, verdict: .unknown, reason: "/proc/sys/\(path) cannot be read",
          remedy: nil)
      }
      let (isGood, reason, remedy) = judge(value)
      return SystemCheck.Row(
        group: group, name: name, verdict: isGood ? .yes : .no, reason: "\(value): \(reason)",
        remedy: isGood ? nil : remedy)
    }
    rows.append(
      setting("kernel.perf_event_paranoid", "kernel/perf_event_paranoid") { value in
        value >= 3
          ? (
            false, "only CAP_SYS_ADMIN opens performance events",
            "sysctl kernel.perf_event_paranoid=2, and CAP_PERFMON is enough"
          )
          : (true, "CAP_PERFMON opens performance events", nil)
      })
    rows.append(
      setting("kernel.perf_event_max_sample_rate", "kernel/perf_event_max_sample_rate") { value in
        value < 1000
          ? (false, "samples a second, at most", "sysctl kernel.perf_event_max_sample_rate=100000")
          : (true, "samples a second, at most", nil)
      })
    rows.append(
      setting("kernel.unprivileged_bpf_disabled", "kernel/unprivileged_bpf_disabled") { value in
        (true, value == 0 ? "everybody may load socket filters" : "BPF takes CAP_BPF", nil)
      })
    rows.append(
      setting("kernel.kptr_restrict", "kernel/kptr_restrict") { value in
        value >= 2
          ? (
            false, "nobody sees kernel addresses: kernel frames stay without names",
            "sysctl kernel.kptr_restrict=1"
          )
          : (
            true, value == 1 ? "kernel addresses take CAP_SYSLOG" : "kernel addresses are shown",
            nil
          )
      })
  }

  // MARK: configuration

  private static let options = [
    "CONFIG_BPF_SYSCALL", "CONFIG_BPF_JIT", "CONFIG_BPF_EVENTS", "CONFIG_DEBUG_INFO_BTF",
    "CONFIG_PERF_EVENTS", "CONFIG_KPROBES", "CONFIG_KPROBE_EVENTS", "CONFIG_UPROBES",
    "CONFIG_UPROBE_EVENTS", "CONFIG_FTRACE_SYSCALLS", "CONFIG_FPROBE",
    "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "CONFIG_BPF_LSM", "CONFIG_CGROUP_BPF",
    "CONFIG_NET_CLS_BPF", "CONFIG_NET_CLS_ACT", "CONFIG_XDP_SOCKETS", "CONFIG_KALLSYMS_ALL",
  ]

  mutating func checkConfiguration() {
    let group = "configuration"
    do throws(EBPFError) {
      let configuration = try KernelConfiguration.running()
      for option in Self.options {
        let value = try configuration.value(of: option)
        let isOn = value == .yes || value == .module
        add(
          group, option, isOn ? .yes : .no,
          value == .module ? "module" : isOn ? "built in" : "not set", remedy: nil)
      }
    } catch {
      add(group, "kernel configuration", .unknown, error.message, remedy: error.hint)
    }
  }
}
