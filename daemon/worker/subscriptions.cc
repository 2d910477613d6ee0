#include "daemon/worker/subscriptions.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

namespace hooksmtpd::worker {
namespace {

using nlohmann::json;

// No other worker has begun in this very moment.
std::string start_stamp() { return fmt::format("{:x}", std::chrono::system_clock::now().time_since_epoch().count()); }

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  const auto* text = found == object.end() ? nullptr : found->get_ptr<const std::string*>();
  return text == nullptr ? "" : *text;
}

}  // namespace

Subscriptions::Subscriptions(event_base* base) : base_(base), tracer_(start_stamp()), messages_(start_stamp()) {}

void Subscriptions::take(std::string_view request, sys::Fd client) {
  const json asked = json::parse(request, nullptr, /*allow_exceptions=*/false);
  if (!asked.is_object()) return refuse(std::move(client), "usage", "a request is one JSON object");
  if (tracer_.subscribers() + messages_.subscribers() >= kMost) {
    return refuse(std::move(client), "unavailable", fmt::format("{} clients listen already", kMost));
  }
  if (text_of(asked, "command") == "messages") {
    return messages_.subscribe(std::make_unique<Subscriber>(base_, std::move(client), MessageRing::kMaxQueued),
                               text_of(asked, "since"));
  }
  auto filter = TraceFilter::parse(asked);
  if (!filter) return refuse(std::move(client), "usage", fmt::format("trace: {}", filter.error()));
  if (asked.contains("since")) return take_since(text_of(asked, "since"), *std::move(filter), std::move(client));
  auto subscriber = std::make_unique<Subscriber>(base_, std::move(client), Tracer::kMaxQueued);
  subscriber->tell(R"({"ok":true})");
  tracer_.subscribe(std::move(subscriber), *std::move(filter));
}

void Subscriptions::take_since(std::string_view since, TraceFilter filter, sys::Fd client) {
  const auto place = tracer_.ring().ask(since, Clock::now());
  if (!place) return refuse(std::move(client), "usage", "since: that is no cursor of this daemon");
  auto subscriber = std::make_unique<Subscriber>(base_, std::move(client), TraceRing::kMaxQueued);
  tracer_.ring().tell_from(*place, filter, *subscriber);
  tracer_.subscribe(std::move(subscriber), std::move(filter));
}

// One line always fits into the buffer of a socket that nothing was written to.
void Subscriptions::refuse(sys::Fd client, std::string_view kind, std::string_view error) {
  const std::string line =
      json{{"ok", false}, {"kind", kind}, {"error", error}}.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  ::send(client.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Subscriptions::end_of_turn() {
  if (tracer_.listening()) tracer_.end_of_turn();
  if (messages_.subscribers() > 0) messages_.end_of_turn();
}

}  // namespace hooksmtpd::worker
