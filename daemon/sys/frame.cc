#include "daemon/sys/frame.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

namespace hooksmtpd::sys {
namespace {

constexpr std::uint8_t kSupervisor = static_cast<std::uint8_t>(Sender::kSupervisor);
constexpr std::uint8_t kKeeper = static_cast<std::uint8_t>(Sender::kKeeper);
constexpr std::uint8_t kWorker = static_cast<std::uint8_t>(Sender::kWorker);
constexpr std::uint8_t kKeyholder = static_cast<std::uint8_t>(Sender::kKeyholder);

constexpr std::size_t kName = 64;              // a hook's name has at most 32 octets
constexpr std::size_t kText = 1024;            // a line for people
constexpr std::size_t kSentences = 16 * 1024;  // one line for each certificate that has something
constexpr std::size_t kRequest = 4 * 1024;     // of a client of the control socket
constexpr std::uint8_t kOwn = kWorker | kKeyholder;
constexpr std::uint8_t kReporters = kKeeper | kOwn;

// clang-format off
constexpr std::array kFrameRules{
    //        kind                       senders            body: from            to                       descriptors
    FrameRule{FrameKind::kStart,         kSupervisor,       2,                    kMaxFrameBody,                0, 0},
    FrameRule{FrameKind::kStop,          kSupervisor,       sizeof(Stop),         sizeof(Stop),                 0, 0},
    FrameRule{FrameKind::kRelease,       kSupervisor,       0,                    0,                            0, 0},
    FrameRule{FrameKind::kReport,        kReporters,        sizeof(ProcessReport), sizeof(ProcessReport),       0, 0},
    FrameRule{FrameKind::kStarted,       kKeeper,           sizeof(Started),      sizeof(Started),              2, 3},
    FrameRule{FrameKind::kExited,        kKeeper,           sizeof(Exited),       sizeof(Exited),               0, 0},
    FrameRule{FrameKind::kChanged,       kKeeper,           0,                    0,                            0, 0},
    FrameRule{FrameKind::kConfig,        kSupervisor,       0,                    0,                            1, 1},
    FrameRule{FrameKind::kHook,          kSupervisor,       sizeof(HookProcess) + 1, sizeof(HookProcess) + kName, 3, 3},
    FrameRule{FrameKind::kServe,         kSupervisor,       0,                    0,                            0, 0},
    FrameRule{FrameKind::kDrain,         kSupervisor,       sizeof(Drain),        sizeof(Drain),                0, 0},
    FrameRule{FrameKind::kStatusAsked,   kSupervisor,       sizeof(Token),        sizeof(Token),                0, 0},
    FrameRule{FrameKind::kHookState,     kWorker,           sizeof(HookState),    sizeof(HookState) + kText,    0, 0},
    FrameRule{FrameKind::kRestartHook,   kWorker,           sizeof(HookProcess),  sizeof(HookProcess) + kText,  0, 0},
    FrameRule{FrameKind::kStatus,        kWorker,           sizeof(Token) + 2,    kMaxFrameBody,                0, 0},
    FrameRule{FrameKind::kDrained,       kWorker,           0,                    0,                            0, 0},
    FrameRule{FrameKind::kClient,        kSupervisor,       0,                    0,                            1, 1},
    FrameRule{FrameKind::kKeyholder,     kSupervisor,       0,                    0,                            1, 1},
    FrameRule{FrameKind::kKeys,          kKeyholder,        sizeof(Keys),         sizeof(Keys) + kSentences,    0, 0},
    FrameRule{FrameKind::kKeyholderLost, kWorker,           0,                    0,                            0, 0},
    FrameRule{FrameKind::kSubscribe,     kSupervisor,       2,                    kRequest,                     1, 1},
    FrameRule{FrameKind::kRetireHook,    kSupervisor,       sizeof(HookProcess),  sizeof(HookProcess),          0, 0},
    FrameRule{FrameKind::kPing,          kSupervisor,       sizeof(Token),        sizeof(Token),                0, 0},
    FrameRule{FrameKind::kPong,          kOwn,              sizeof(Token),        sizeof(Token),                0, 0},
    FrameRule{FrameKind::kConfigured,    kWorker,           0,                    0,                            0, 0},
};
// clang-format on

static_assert(std::ranges::all_of(kFrameRules, [](const FrameRule& rule) {
  return rule.max_body <= kMaxFrameBody && rule.max_fds <= kMaxFrameFds;
}));

struct Header {
  FrameKind kind;
  std::uint32_t length;
};
static_assert(sizeof(Header) == 8);

// Room for the most descriptors that any kind carries: the kernel closes what does not fit and says MSG_CTRUNC.
union Control {
  cmsghdr align;
  std::array<char, CMSG_SPACE(kMaxFrameFds * sizeof(int))> bytes;
};

bool keeps(const FrameRule& rule, std::size_t body, std::size_t fds) {
  return body >= rule.min_body && body <= rule.max_body && fds >= rule.min_fds && fds <= rule.max_fds;
}

FrameError error_of_errno() {
  switch (errno) {
    case EAGAIN:
    case ENOBUFS:
      return FrameError::kWouldBlock;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
      return FrameError::kClosed;
    case EMSGSIZE:
      return FrameError::kBroken;
    default:
      return FrameError::kSystem;
  }
}

// Takes over every descriptor that came along, whatever becomes of the frame.
std::vector<Fd> adopt(const msghdr& message) {
  std::vector<Fd> fds;
  for (const cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(part))) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

}  // namespace

const FrameRule* rule_of(FrameKind kind) {
  const auto* rule = std::ranges::find(kFrameRules, kind, &FrameRule::kind);
  return rule == kFrameRules.end() ? nullptr : rule;
}

std::expected<void, FrameError> send_frame(const Fd& socket, FrameKind kind, std::string_view body,
                                           std::span<const int> fds) {
  const FrameRule* rule = rule_of(kind);
  assert(rule != nullptr && keeps(*rule, body.size(), fds.size()) && "we would send a broken frame");

  Header header{.kind = kind, .length = static_cast<std::uint32_t>(body.size())};
  std::array<iovec, 2> parts{iovec{.iov_base = &header, .iov_len = sizeof header},
                             iovec{.iov_base = const_cast<char*>(body.data()), .iov_len = body.size()}};
  Control control{};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  if (!fds.empty()) {
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
  }

  ssize_t sent = -1;
  do {
    sent = ::sendmsg(socket.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return std::unexpected(error_of_errno());
  return {};  // a SOCK_SEQPACKET packet goes whole or not at all
}

std::expected<Frame, FrameError> receive_frame(const Fd& socket, Sender from) {
  Header header;
  std::array<char, kMaxFrameBody> body;  // not initialised: the kernel says how much of it counts
  std::array<iovec, 2> parts{iovec{.iov_base = &header, .iov_len = sizeof header},
                             iovec{.iov_base = body.data(), .iov_len = body.size()}};
  Control control{};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();

  ssize_t received = -1;
  do {
    received = ::recvmsg(socket.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0) return std::unexpected(error_of_errno());

  std::vector<Fd> fds = adopt(message);
  if (received == 0) return std::unexpected(FrameError::kClosed);
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return std::unexpected(FrameError::kBroken);
  if (static_cast<std::size_t>(received) < sizeof header) return std::unexpected(FrameError::kBroken);
  const std::size_t length = static_cast<std::size_t>(received) - sizeof header;
  if (header.length != length) return std::unexpected(FrameError::kBroken);

  const FrameRule* rule = rule_of(header.kind);
  if (rule == nullptr || (rule->senders & static_cast<std::uint8_t>(from)) == 0 || !keeps(*rule, length, fds.size())) {
    return std::unexpected(FrameError::kBroken);
  }
  return Frame{.kind = header.kind, .body = std::string(body.data(), length), .fds = std::move(fds)};
}

}  // namespace hooksmtpd::sys
