#include "daemon/worker/traced_request.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace hooksmtpd::worker {
namespace {

using nlohmann::ordered_json;

constexpr std::array<std::string_view, 17> kHarmless{
    "v",        "id",       "event", "session", "listener", "client",    "server",           "helo",
    "helo_b64", "protocol", "tls",   "notes",   "user",     "mechanism", "authorization_id", "authorization_id_b64",
    "user_b64"};

// What stands between `before`, at its first place in `line`, and the next quote.
std::string_view text_after(std::string_view line, std::string_view before) {
  const std::size_t found = line.find(before);
  if (found == std::string_view::npos) return {};
  const std::string_view rest = line.substr(found + before.size());
  return rest.substr(0, rest.find('"'));
}

}  // namespace

TraceSubject subject_of(hook::Event event, std::string_view line) {
  if (event == hook::Event::kHello) return {};  // its options may say anything
  return {.session = text_after(line, R"("session":")"),
          .listener = text_after(line, R"("listener":")"),
          .client = text_after(line, R"("client":{"ip":")")};
}

std::string without_secrets(hook::Event event, std::string_view line) {
  line = line.substr(0, line.find('\n'));
  if (event != hook::Event::kAuth) return std::string(line);
  ordered_json request = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!request.is_object()) return R"("***")";
  for (auto member = request.begin(); member != request.end(); ++member) {
    if (std::ranges::find(kHarmless, member.key()) == kHarmless.end()) *member = "***";
  }
  return request.dump(-1, ' ', /*ensure_ascii=*/true, ordered_json::error_handler_t::replace);
}

}  // namespace hooksmtpd::worker
