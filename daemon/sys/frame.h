// What our processes say to each other over their socket pairs (SOCK_SEQPACKET, one frame a packet).
//
// A frame is 8 bytes, kind and body length, and a body. kFrameRules says who may send which kind, how long its body
// may be and how many descriptors ride along (SCM_RIGHTS). A frame that breaks its rule, or comes in a state that does
// not expect it, ends the peer that sent it, never the receiver. Integers are in the machine's order: both ends are the
// same build on the same machine.

#pragma once

#include <sys/types.h>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "daemon/sys/fd.h"

namespace hooksmtpd::sys {

enum class FrameKind : std::uint32_t {
  // supervisor -> keeper
  kStart = 1,  // body: the argument vector, each argument ended by NUL. The keeper starts its child.
  kStop,       // body: Stop. SIGTERM to the child, SIGKILL after the grace; kExited follows.
  kRelease,    // also supervisor -> worker: close the listeners
  // keeper -> supervisor
  kReport,   // also worker, keyholder -> supervisor: body: ProcessReport, once, after the drop
  kStarted,  // body: Started; descriptors: 3 for a hook (stdin, stdout, stderr), 2 for the others (control, log)
  kExited,   // body: Exited
  kChanged,  // a file of its child's command was written or replaced (Plan::watched)
  // supervisor -> worker
  kConfig,       // descriptor: a sealed memfd with config::to_json(). Also supervisor -> keyholder, answered by kKeys
  kHook,         // body: HookProcess and the hook's name; descriptors: its stdin, stdout, stderr
  kServe,        // begin to accept
  kDrain,        // body: Drain. Finish what is under way, then kDrained.
  kStatusAsked,  // body: Token
  // worker -> supervisor
  kHookState,    // body: HookState and a text for people
  kRestartHook,  // body: HookProcess (no name) and the reason: it overran its time or broke the protocol
  kStatus,       // body: Token and a JSON object
  kDrained,      // no session is left
  // supervisor -> keyholder
  kClient,  // descriptor: a socket on which a worker asks for signatures (daemon/sys/signing.h)
  // supervisor -> worker
  kKeyholder,  // descriptor: the other end of that pair. Again whenever there is a new keyholder
  // keyholder -> supervisor
  kKeys,  // body: Keys and a text for people: what is wrong with the keys of the last kConfig, or a note
  // worker -> supervisor
  kKeyholderLost,  // it did not answer in time, or closed the socket of the last kKeyholder
  // supervisor -> worker
  kSubscribe,   // body: a request of the control socket, a JSON object; descriptor: the client's socket, to be told
  kRetireHook,  // body: HookProcess (no name). It finishes what it was asked; then kRestartHook
  kPing,        // also supervisor -> keyholder: body: Token, to be sent back
  // worker, keyholder -> supervisor
  kPong,  // body: the Token of the last kPing
  // worker -> supervisor
  kConfigured,  // one for each kConfig: whom it accepts from now on it serves by that
};

struct Stop {
  std::uint32_t grace_ms;
};
struct Started {
  std::int32_t pid;  // as the keeper sees it: in its own pid namespace
};
struct Exited {
  std::int32_t wait_status;     // as waitpid(2) gives it
  std::int32_t exec_errno;      // not 0: the program could not be started, and there was no kStarted
  std::uint32_t no_memory = 0;  // 1: processes of it were killed since they had used up the memory of their group
};
struct HookProcess {
  std::uint32_t slot, instance;
  std::uint32_t generation;  // counts the starts of this slot
};
struct Drain {
  std::uint32_t limit_ms;
};
struct Token {
  std::uint32_t value;
};
struct Keys {
  enum Verdict : std::uint32_t { kOk, kRefused };  // kRefused: the keys of the kConfig before stay in use
  std::uint32_t verdict;
};
struct HookState {
  enum State : std::uint32_t { kReady, kFailed };  // kFailed: it did not say hello; the text names the fix
  std::uint32_t slot, generation, state;
};

// What a process found about itself in /proc/self after its drop (promise P1).
struct ProcessReport {
  std::int32_t pid;
  std::uint32_t uids[4], gids[4];  // real, effective, saved, file system
  std::uint32_t groups;            // how many supplementary groups
  std::uint64_t capabilities[5];   // inheritable, permitted, effective, bounding, ambient
  std::uint32_t no_new_privs;
  std::uint32_t seccomp;
  std::uint64_t namespaces[5];  // inode numbers of /proc/self/ns/: mnt, pid, net, ipc, uts
};

inline constexpr std::size_t kMaxFrameBody = 64 * 1024;
inline constexpr std::size_t kMaxFrameFds = 3;

// Who speaks. A receiver names the side that its socket leads to.
enum class Sender : std::uint8_t { kSupervisor = 1, kKeeper = 2, kWorker = 4, kKeyholder = 8 };

// What a frame of one kind may look like.
struct FrameRule {
  FrameKind kind;
  std::uint8_t senders;  // Sender bits
  std::size_t min_body, max_body;
  std::size_t min_fds, max_fds;
};

// By kind. Null: there is no such kind.
const FrameRule* rule_of(FrameKind kind);

struct Frame {
  FrameKind kind;
  std::string body;
  std::vector<Fd> fds;
};

enum class FrameError { kWouldBlock, kClosed, kBroken, kSystem };  // kBroken: against kFrameRules; kSystem: errno

// Sends one whole frame; it must keep its rule (assert). kWouldBlock: the peer does not read. Neither call ever blocks,
// whatever the socket's mode.
std::expected<void, FrameError> send_frame(const Fd& socket, FrameKind kind, std::string_view body = {},
                                           std::span<const int> fds = {});
// Receives one frame that `from` may send. Its descriptors are close-on-exec; those of a broken frame are closed.
std::expected<Frame, FrameError> receive_frame(const Fd& socket, Sender from);

// A trivially copyable value as a body.
template <class T>
  requires std::is_trivially_copyable_v<T>
std::string_view as_body(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// And back, from the front of a body (HookProcess, HookState, Keys and Token may be followed by text: rest_of_body).
// receive_frame() has seen to it that a frame is long enough for its kind.
template <class T>
  requires std::is_trivially_copyable_v<T>
T body_as(std::string_view body) {
  assert(body.size() >= sizeof(T) && "the frame's rule is too short for this body");
  T value;
  std::memcpy(&value, body.data(), sizeof value);
  return value;
}
template <class T>
std::string_view rest_of_body(std::string_view body) {
  return body.substr(sizeof(T));
}

}  // namespace hooksmtpd::sys
