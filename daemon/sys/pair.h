// Pipes and socket pairs, born close-on-exec.

#pragma once

#include "daemon/sys/fd.h"

namespace hooksmtpd::sys {

struct Pipe {
  Fd read;
  Fd write;
};
Pipe make_pipe();

// SOCK_SEQPACKET, for frames (frame.h); non-blocking.
struct SocketPair {
  Fd ours;
  Fd theirs;
};
SocketPair make_socket_pair();

}  // namespace hooksmtpd::sys
