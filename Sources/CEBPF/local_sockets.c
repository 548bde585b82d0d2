#define _GNU_SOURCE
#include "local_sockets.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

// Closes the socket on a failure, whose errno it keeps.
static int finish(int socket, int result) {
  if (result == 0) return socket;
  int error = errno;
  close(socket);
  return -error;
}

static int fill(struct sockaddr_un *address, const char *path) {
  size_t length = strlen(path);
  if (length >= sizeof address->sun_path) return -ENAMETOOLONG;
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  memcpy(address->sun_path, path, length + 1);
  return 0;
}

int cebpf_local_listen(const char *path, int backlog) {
  struct sockaddr_un address;
  int result = fill(&address, path);
  if (result < 0) return result;
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0) return -errno;
  // The file gets the mode of the socket (net/unix/af_unix.c, unix_bind_bsd).
  result = fchmod(listener, 0600);
  if (result == 0) result = bind(listener, (struct sockaddr *)&address, sizeof address);
  if (result == 0) result = listen(listener, backlog);
  return finish(listener, result);
}

int cebpf_local_connect(const char *path, uint32_t seconds) {
  struct sockaddr_un address;
  struct timeval limit = {.tv_sec = (time_t)seconds};
  int result = fill(&address, path);
  if (result < 0) return result;
  int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (client < 0) return -errno;
  result = setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (result == 0) result = setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (result == 0) result = connect(client, (struct sockaddr *)&address, sizeof address);
  return finish(client, result);
}

int cebpf_local_accept(int listener) {
  int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  return client < 0 ? -errno : client;
}

int cebpf_local_peer(int socket, struct cebpf_peer *peer) {
  struct ucred found;
  socklen_t size = sizeof found;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &found, &size) < 0) return -errno;
  peer->process = found.pid;
  peer->user = found.uid;
  return 0;
}

int64_t cebpf_local_send(int socket, const void *bytes, size_t count) {
  ssize_t sent = send(socket, bytes, count, MSG_NOSIGNAL);
  return sent < 0 ? -errno : sent;
}
