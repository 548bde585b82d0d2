/* SPDX-License-Identifier: Apache-2.0 */
/* Values from the kernel's configuration, of each type, copied to .bss by a test run of `copy`. */
#include "helpers.h"

/* The name tells loaders that y/m/n are meant. */
enum libbpf_tristate {
	TRI_NO = 0,
	TRI_YES = 1,
	TRI_MODULE = 2,
};

extern bool CONFIG_BPF_SYSCALL KCONFIG;
extern enum libbpf_tristate CONFIG_MODULES KCONFIG WEAK;
extern char CONFIG_BPF_JIT KCONFIG; /* 'y' */
extern int CONFIG_LOG_BUF_SHIFT KCONFIG;
extern u64 CONFIG_PHYSICAL_START KCONFIG WEAK; /* 0x1000000 on x86 */
extern const char CONFIG_DEFAULT_HOSTNAME[32] KCONFIG;
extern const char CONFIG_CC_VERSION_TEXT[4] KCONFIG; /* too short: cut, and ended with 0 */
extern int CONFIG_SWIFT_EBPF_MISSING KCONFIG WEAK;

/* Not in any configuration: the loader's own. */
extern int LINUX_KERNEL_VERSION KCONFIG;
extern bool LINUX_HAS_BPF_COOKIE KCONFIG;
extern bool LINUX_HAS_SYSCALL_WRAPPER KCONFIG;

u64 numbers[9];
char hostname[32];
char compiler[4];

SEC("raw_tp/sys_enter")
int copy(void *context)
{
	numbers[0] = CONFIG_BPF_SYSCALL;
	numbers[1] = CONFIG_MODULES;
	numbers[2] = CONFIG_BPF_JIT;
	numbers[3] = CONFIG_LOG_BUF_SHIFT;
	numbers[4] = CONFIG_PHYSICAL_START;
	numbers[5] = CONFIG_SWIFT_EBPF_MISSING;
	numbers[6] = LINUX_KERNEL_VERSION;
	numbers[7] = LINUX_HAS_BPF_COOKIE;
	numbers[8] = LINUX_HAS_SYSCALL_WRAPPER;
	for (int i = 0; i < 32; i++)
		hostname[i] = CONFIG_DEFAULT_HOSTNAME[i];
	for (int i = 0; i < 4; i++)
		compiler[i] = CONFIG_CC_VERSION_TEXT[i];
	return 0;
}

LICENSE("GPL");
