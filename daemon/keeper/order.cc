#include "daemon/keeper/order.h"

#include <string_view>

namespace hooksmtpd::keeper {
namespace {

using sys::FrameKind;

// Each argument is ended by NUL. Empty: the last one is not.
std::vector<std::string> parse_argv(std::string_view body) {
  std::vector<std::string> argv;
  while (!body.empty()) {
    const std::size_t end = body.find('\0');
    if (end == std::string_view::npos) return {};
    argv.emplace_back(body.substr(0, end));
    body.remove_prefix(end + 1);
  }
  return argv;
}

}  // namespace

std::optional<Order> order_of(const sys::Frame& frame, State state) {
  switch (frame.kind) {
    case FrameKind::kStart: {
      if (state != State::kIdle) return std::nullopt;
      std::vector<std::string> argv = parse_argv(frame.body);
      if (argv.empty()) return std::nullopt;
      return StartChild{.argv = std::move(argv)};
    }
    case FrameKind::kStop:
      return StopChild{.grace = std::chrono::milliseconds(sys::body_as<sys::Stop>(frame.body).grace_ms)};
    case FrameKind::kRelease:
      return ReleaseListeners{};
    default:
      return std::nullopt;
  }
}

}  // namespace hooksmtpd::keeper
