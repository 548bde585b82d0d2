// Stream sockets in the file system (unix(7)): each function returns its result, or a negative errno.
#ifndef CEBPF_LOCAL_SOCKETS_H
#define CEBPF_LOCAL_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// Who is at the other end, as the kernel knows (SO_PEERCRED).
struct cebpf_peer {
  int32_t process;
  uint32_t user;
};

// A listening socket that never waits, whose file only its owner may use from its first moment on.
int cebpf_local_listen(const char *path, int backlog);
// Connects; this and every later call on the socket waits at most so long.
int cebpf_local_connect(const char *path, uint32_t seconds);
// The next client, as a socket that never waits.
int cebpf_local_accept(int listener);
int cebpf_local_peer(int socket, struct cebpf_peer *peer);
// Never raises SIGPIPE.
int64_t cebpf_local_send(int socket, const void *bytes, size_t count);

#pragma clang assume_nonnull end

#endif
