#include "hooks/inbox/api/shapes.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

namespace hooksmtpd::inbox::v2 {
namespace {

Json to_json(const Address& address) { return {{"name", address.name}, {"address", address.address}}; }

Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

std::string_view to_text(Outcome outcome) {
  static constexpr std::array<std::string_view, 4> kNames{"delivered", "refused", "broken off", "no mail"};
  return kNames[static_cast<std::size_t>(outcome)];
}

// "192.0.2.7:51514", "[2001:db8::7]:51514".
Json endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return nullptr;
  std::string_view ip = text.substr(0, colon);
  if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
  unsigned port = 0;
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  return {{"ip", ip}, {"port", port}};
}

}  // namespace

std::string to_text(Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (time - seconds).count());
}

Json to_json(const Addresses& addresses) {
  Json list = Json::array();
  for (const Address& address : addresses) list.push_back(to_json(address));
  return list;
}

Json to_json(const Summary& summary) {
  return {{"id", summary.id},
          {"received", to_text(summary.received)},
          {"mailbox", summary.mailbox},
          {"from", summary.from ? to_json(*summary.from) : Json(nullptr)},
          {"to", to_json(summary.to)},
          {"cc", to_json(summary.cc)},
          {"subject", summary.subject},
          {"snippet", summary.snippet},
          {"size", summary.size},
          {"attachments", summary.attachments},
          {"unread", summary.unread},
          {"tags", summary.tags},
          {"injected", summary.injected},
          {"tls", summary.tls},
          {"user", or_null(summary.user)},
          {"broken", summary.broken}};
}

Json to_json(const Session& session) {
  return {{"id", session.id},
          {"began", to_text(session.began)},
          {"ended", to_text(session.ended)},
          {"client", endpoint(session.client)},
          {"listener", session.listener},
          {"helo", session.helo},
          {"tls", or_null(session.tls)},
          {"user", or_null(session.user)},
          {"from", session.from},
          {"to", session.to},
          {"messages", session.messages},
          {"outcome", to_text(session.outcome)},
          {"reason", or_null(session.reason)},
          {"hook", or_null(session.hook)}};
}

}  // namespace hooksmtpd::inbox::v2
