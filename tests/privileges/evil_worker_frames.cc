// Bad frames, and good ones out of place. An honest end would not send them, so no function of daemon/sys does: they
// are laid out by hand.

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "daemon/sys/frame.h"
#include "tests/privileges/evil_worker.h"

namespace hooksmtpd::evil {
namespace {

using sys::FrameKind;

constexpr int kToBeKilled = 5000;         // milliseconds: longer than the supervisor takes
constexpr int kFlood = 20'000;            // frames, or lines
constexpr std::size_t kMostRights = 253;  // SCM_MAX_FD

struct Header {
  std::uint32_t kind, length;
};

std::string frame(std::uint32_t kind, std::string_view body, std::int64_t lie = 0) {
  const Header header{.kind = kind, .length = static_cast<std::uint32_t>(static_cast<std::int64_t>(body.size()) + lie)};
  return std::string(reinterpret_cast<const char*>(&header), sizeof header).append(body);
}
std::string frame(FrameKind kind, std::string_view body = {}, std::int64_t lie = 0) {
  return frame(static_cast<std::uint32_t>(kind), body, lie);
}

std::string send(const sys::Fd& socket, std::string packet, std::size_t descriptors = 0) {
  iovec part{.iov_base = packet.data(), .iov_len = packet.size()};
  std::vector<char> control(CMSG_SPACE(descriptors * sizeof(int)));
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptors != 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
    const std::vector<int> numbers(descriptors, STDERR_FILENO);
    std::memcpy(CMSG_DATA(rights), numbers.data(), descriptors * sizeof(int));
  }
  return result(::sendmsg(socket.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL));
}

// Until the supervisor kills us for it, or does not.
Act bad_frame(std::string_view name, std::string packet, std::size_t descriptors = 0) {
  return {name, [packet = std::move(packet), descriptors](Held& held, Argument) {
            const std::string sent = send(held.control, packet, descriptors);
            if (sent != "ok") return sent;
            ::poll(nullptr, 0, kToBeKilled);
            return std::string("nothing");
          }};
}

// As many as it takes before it does not read any more, or kills us.
std::string flood(Held& held, const std::string& packet) {
  for (int i = 0; i < kFlood; ++i) {
    pollfd writable{.fd = held.control.get(), .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, kToBeKilled) != 1) return "it does not read";
    if (const std::string sent = send(held.control, packet); sent != "ok" && sent != "EAGAIN") return sent;
  }
  return "ok";
}

std::string flood_the_log(std::string_view line) {
  for (int i = 0; i < kFlood; ++i) {
    pollfd writable{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, kToBeKilled) != 1) return "it does not read";
    if (::write(STDERR_FILENO, line.data(), line.size()) < 0 && errno != EAGAIN) return result(-1);
  }
  return "ok";
}

template <class Body>
std::string with(const Body& body, std::string_view rest = {}) {
  return std::string(sys::as_body(body)).append(rest);
}

}  // namespace

std::vector<Act> acts_on_the_supervisor() {
  const sys::ProcessReport report{};
  const sys::HookState nobody{.slot = 99, .generation = 1, .state = sys::HookState::kReady};
  const sys::HookState tomorrow{.slot = 1, .generation = 1000, .state = sys::HookState::kReady};
  const sys::HookState neither{.slot = 1, .generation = 1, .state = 7};
  const sys::HookProcess worker{.slot = 0, .instance = 1, .generation = 1};
  const sys::HookProcess later{.slot = 1, .instance = 1, .generation = 1000};
  const sys::Token unasked{.value = 0xffffffff};
  const std::string too_long(sys::kMaxFrameBody + 1, 'x');
  return {
      bad_frame("frame_of_no_kind", frame(0, "")),
      bad_frame("frame_of_unknown_kind", frame(0xffffffff, "body")),
      bad_frame("frame_empty", ""),
      bad_frame("frame_half_a_header", std::string(4, '\1')),
      bad_frame("frame_length_too_large", frame(FrameKind::kDrained, "", 1)),
      bad_frame("frame_length_too_small", frame(FrameKind::kStatus, "12345{}", -1)),
      bad_frame("frame_length_immense", frame(FrameKind::kStatus, "12345{}", 0xffffff00)),
      bad_frame("frame_too_long", frame(FrameKind::kStatus, too_long)),
      bad_frame("frame_body_too_short", frame(FrameKind::kHookState, "123")),
      bad_frame("frame_text_too_long", frame(FrameKind::kHookState, with(nobody, std::string(1025, 'x')))),
      bad_frame("frame_with_descriptor", frame(FrameKind::kDrained), 1),
      bad_frame("frame_with_most_descriptors", frame(FrameKind::kStatus, "1234{}"), kMostRights),
      bad_frame("frame_of_supervisor", frame(FrameKind::kServe)),
      bad_frame("frame_of_keeper", frame(FrameKind::kStarted, with(sys::Started{.pid = 1})), 2),
      bad_frame("frame_of_keyholder", frame(FrameKind::kKeys, with(sys::Keys{.verdict = sys::Keys::kOk}))),
      bad_frame("frame_second_report", frame(FrameKind::kReport, with(report))),
      bad_frame("frame_drained_too_early", frame(FrameKind::kDrained)),
      bad_frame("frame_configured_unasked", frame(FrameKind::kConfigured)),
      bad_frame("frame_pong_unasked", frame(FrameKind::kPong, with(unasked))),
      bad_frame("frame_status_of_tomorrow", frame(FrameKind::kStatus, with(unasked, "{}"))),
      bad_frame("frame_state_of_no_hook", frame(FrameKind::kHookState, with(nobody))),
      bad_frame("frame_state_of_tomorrow", frame(FrameKind::kHookState, with(tomorrow))),
      bad_frame("frame_state_of_neither_kind", frame(FrameKind::kHookState, with(neither))),
      bad_frame("frame_restart_worker", frame(FrameKind::kRestartHook, with(worker))),
      bad_frame("frame_restart_of_tomorrow", frame(FrameKind::kRestartHook, with(later))),
      bad_frame("frame_no_such_keyholder", frame(FrameKind::kKeyholderLost)),
      {"flood_keyholder_lost", [](Held& held, Argument) { return flood(held, frame(FrameKind::kKeyholderLost)); }},
      {"flood_status",
       [](Held& held, Argument) {
         return flood(held, frame(FrameKind::kStatus, with(sys::Token{.value = 0}, std::string(1000, '['))));
       }},
      {"flood_states",
       [](Held& held, Argument) {
         const sys::HookState again{.slot = 1, .generation = 1, .state = sys::HookState::kReady};
         return flood(held, frame(FrameKind::kHookState, with(again)));
       }},
      {"flood_log", [](Held&, Argument) { return flood_the_log("<6>evil says so\n"); }},
      {"flood_log_without_line_end", [](Held&, Argument) { return flood_the_log(std::string(1000, 'x')); }},
      {"forge_log",
       [](Held&, Argument) {
         constexpr std::string_view kLine = "<3>evil \x1b[2J\x07 \xff forged\r\n";
         return result(::write(STDERR_FILENO, kLine.data(), kLine.size()));
       }},
  };
}

}  // namespace hooksmtpd::evil
