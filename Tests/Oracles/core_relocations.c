/*
 * What libbpf makes of an object's CO-RE records.
 *
 * usage: core_relocations OBJECT [BTF...]
 *
 * For each target BTF, or for the running kernel's when none is named, prints
 *	target INDEX STATUS
 * where STATUS is ok, refused (a relocation failed), invalid (libbpf cannot parse the target) or
 * crashed (libbpf did, or did not end: each target has its own process), and
 * for ok, one line for each program:
 *	program SECTION NAME HEX
 * with the bytes of its instructions, relocated. Whether the kernel then takes the programs does not
 * matter, and mostly it does not.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int relocation_failed, target_failed;

static int note(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char text[1024];

	vsnprintf(text, sizeof(text), format, arguments);
	if (strstr(text, "failed to relocate") || strstr(text, "failed to perform CO-RE"))
		relocation_failed = 1;
	if (strstr(text, "failed to parse target BTF"))
		target_failed = 1;
	return 0;
}

static void relocate(const char *path, int index, const char *target)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = target);
	struct bpf_object *object;
	struct bpf_program *program;

	relocation_failed = target_failed = 0;
	object = bpf_object__open_file(path, &options);
	if (!object) {
		printf("target %d unopened\n", index);
		return;
	}
	bpf_object__load(object);
	printf("target %d %s\n", index,
	       target_failed ? "invalid" : relocation_failed ? "refused" : "ok");
	if (!target_failed && !relocation_failed) {
		bpf_object__for_each_program(program, object) {
			const unsigned char *bytes = (const void *)bpf_program__insns(program);
			size_t count = bpf_program__insn_cnt(program) * 8;

			printf("program %s %s ", bpf_program__section_name(program),
			       bpf_program__name(program));
			for (size_t i = 0; bytes && i < count; i++)
				printf("%02x", bytes[i]);
			printf("\n");
		}
	}
	bpf_object__close(object);
}

static void guard(const char *path, int index, const char *target)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		alarm(2);
		relocate(path, index, target);
		fflush(stdout);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || status)
		printf("target %d crashed\n", index);
}

int main(int count, char **arguments)
{
	libbpf_set_print(note);
	if (count == 2)
		guard(arguments[1], 0, NULL);
	for (int i = 2; i < count; i++)
		guard(arguments[1], i - 2, arguments[i]);
	return 0;
}
