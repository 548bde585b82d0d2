/*
 * What the kernel's BTF verifier says.
 *
 * usage: btf_verdicts FILE
 *
 * FILE holds blobs, each after its length in 4 bytes. Prints one line for each: the errno (0 if the
 * kernel took it), and the last line of the kernel's log.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned char blob[1 << 24];
static char text[1 << 20];

int main(int count, char **arguments)
{
	FILE *file = count == 2 ? fopen(arguments[1], "r") : NULL;
	uint32_t size;

	if (!file)
		return 1;
	while (fread(&size, 4, 1, file) == 1) {
		struct {
			uint64_t btf, log;
			uint32_t btf_size, log_size, log_level;
		} attribute = { (uintptr_t)blob, (uintptr_t)text, size, sizeof(text), 1 };
		char *line, *end;
		long result;

		if (size > sizeof(blob) || fread(blob, 1, size, file) != size)
			return 1;
		text[0] = 0;
		result = syscall(SYS_bpf, 18 /* BPF_BTF_LOAD */, &attribute, sizeof(attribute));
		printf("%d", result < 0 ? errno : 0);
		if (result >= 0)
			close(result);
		end = text + strlen(text);
		while (end > text && end[-1] == '\n')
			*--end = 0;
		line = strrchr(text, '\n');
		printf(" %s\n", line ? line + 1 : text);
	}
	return 0;
}
