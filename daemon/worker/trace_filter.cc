#include "daemon/worker/trace_filter.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "config/suggest.h"

namespace hooksmtpd::worker {
namespace {

using nlohmann::json;

// In the order of TraceKind.
constexpr std::array<std::string_view, 8> kKinds{"session", "tls",   "client", "server",
                                                 "request", "reply", "stderr", "hook"};

constexpr std::uint32_t bit(std::size_t kind) { return std::uint32_t{1} << kind; }

// Empty: it is not there.
std::expected<std::string, std::string> text_of(const json& request, const char* key) {
  const auto found = request.find(key);
  if (found == request.end()) return "";
  if (const auto* text = found->get_ptr<const std::string*>()) return *text;
  return std::unexpected(fmt::format("\"{}\" is a string", key));
}

std::expected<std::uint32_t, std::string> kinds_of(const json& list) {
  if (!list.is_array()) return std::unexpected("\"what\" is an array of strings");
  std::uint32_t kinds = 0;
  for (const json& one : list) {
    const auto* name = one.get_ptr<const std::string*>();
    if (name == nullptr) return std::unexpected("\"what\" is an array of strings");
    const auto found = std::find(kKinds.begin(), kKinds.end(), *name);
    if (found == kKinds.end()) {
      return std::unexpected(fmt::format("\"what\" has no '{}'{}", *name, config::did_you_mean(*name, kKinds)));
    }
    kinds |= bit(static_cast<std::size_t>(found - kKinds.begin()));
  }
  return kinds;
}

}  // namespace

std::expected<TraceFilter, std::string> TraceFilter::parse(const json& request) {
  TraceFilter filter;
  for (const auto& [key, place] :
       {std::pair{"session", &filter.session_}, {"listener", &filter.listener_}, {"hook", &filter.hook_}}) {
    auto text = text_of(request, key);
    if (!text) return std::unexpected(text.error());
    *place = *std::move(text);
  }
  const auto client = text_of(request, "client");
  if (!client) return std::unexpected(client.error());
  if (!client->empty()) {
    const auto network = config::parse_network(*client);
    if (!network) return std::unexpected(fmt::format("\"client\" {}", network.error()));
    filter.client_ = *network;
  }
  if (const auto what = request.find("what"); what != request.end()) {
    const auto kinds = kinds_of(*what);
    if (!kinds) return std::unexpected(kinds.error());
    filter.kinds_ = *kinds;
  }
  if (const auto messages = request.find("messages"); messages != request.end()) {
    if (!messages->is_boolean()) return std::unexpected("\"messages\" is true or false");
    filter.messages_ = messages->get<bool>();
  }
  return filter;
}

bool TraceFilter::wants(TraceKind kind, const TraceSubject& subject, std::string_view hook) const {
  return (kinds_ & bit(static_cast<std::size_t>(kind))) != 0 &&
         (hook_.empty() || hook == hook_ || kind == TraceKind::kSession) &&
         (session_.empty() || subject.session == session_) && (listener_.empty() || subject.listener == listener_) &&
         (!client_ || config::contains(*client_, subject.client));
}

}  // namespace hooksmtpd::worker
