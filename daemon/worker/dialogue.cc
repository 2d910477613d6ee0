#include "daemon/worker/dialogue.h"

namespace hooksmtpd::worker {
namespace {

constexpr std::string_view kTruncated = R"({"from":"daemon","what":"truncated"})";

}  // namespace

template <class Write>
void Dialogue::add(Write write) {
  if (truncated_) return;
  const std::size_t before = json_.size() - 1;
  json_.pop_back();  // the end of the array; it comes back below
  hook::JsonWriter json(json_);
  json.begin_object();
  write(json);
  json.end_object();
  // Room for the last word, its comma and the end is kept back.
  if (json_.size() + kTruncated.size() + 2 > kMaxOctets) {
    truncated_ = true;
    json_.resize(before);
    json_.append(before > 1 ? "," : "").append(kTruncated);
  }
  json_ += ']';
}

void Dialogue::server(SinceBegin when, std::string_view wire) {
  while (!wire.empty()) {
    const std::string_view line = entry::take_line(wire);
    add([&](hook::JsonWriter& json) { entry::server_line(json, when, line); });
  }
}

void Dialogue::client(SinceBegin when, std::string_view line) {
  add([&](hook::JsonWriter& json) { entry::client_line(json, when, line); });
}

void Dialogue::client_octets(SinceBegin when, std::uint64_t octets) {
  add([&](hook::JsonWriter& json) { entry::client_octets(json, when, octets); });
}

void Dialogue::hook(SinceBegin when, const HookEntry& what) {
  add([&](hook::JsonWriter& json) { entry::hook_reply(json, when, what); });
}

void Dialogue::tls(SinceBegin when, std::string_view version, std::string_view cipher) {
  add([&](hook::JsonWriter& json) { entry::tls(json, when, version, cipher); });
}

}  // namespace hooksmtpd::worker
