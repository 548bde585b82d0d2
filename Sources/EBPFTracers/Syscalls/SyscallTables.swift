/// The generated tables: a call a line, see `scripts/generate-syscalls.sh`.
enum SyscallTables {}
