/*
 * channel - one datagram with descriptors beside it, on a unix socket.
 */
#ifndef RENDER_CHANNEL_H
#define RENDER_CHANNEL_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Sends without blocking and without SIGPIPE; false with errno. */
bool channel_send(int fd, struct span message, const int *descriptors, unsigned count)
    __attribute__((warn_unused_result));

/* Receives one datagram of at most `size` bytes and at most `max` descriptors,
 * which arrive close-on-exec.  0 when the peer has closed; -1 with errno, also
 * (EMSGSIZE) when the message or the descriptors were too many: those that
 * arrived have then been closed. */
ssize_t channel_receive(int fd, char *message, size_t size, int *descriptors, unsigned max,
    unsigned *count) __attribute__((warn_unused_result));

#endif
