// Plays a conversation with a hook: each line of the input is what the hook writes, but for lines that begin with
// '>', which pass time and send requests, of the event that each of their letters is for. Every request must come back
// exactly once, and nothing after a Broken.

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <set>

#include "proto/hook/channel.h"

using namespace hooksmtpd::hook;
using namespace std::chrono_literals;

namespace {

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

Event event_for(char c) { return Event{static_cast<std::uint8_t>(1 + static_cast<unsigned char>(c) % (kEvents - 1))}; }

struct Conversation {
  Channel channel;
  Channel::TimePoint now{};
  RequestId last = 0;
  std::set<RequestId> out{};
  Modifies modifies{};
  bool broken = false;

  void ask(Event event, std::chrono::seconds limit) {
    if (channel.room() == 0) return;
    channel.sent(++last, event, now + limit);
    out.insert(last);
  }
  void came_back(RequestId id) { assert(out.erase(id) == 1); }
  void on(const outcome::Ready& ready) {
    came_back(ready.id);
    modifies = ready.reply.modifies;
  }
  void on(const outcome::Answer& answer) {
    came_back(answer.id);
    const auto& verdict = answer.verdict;
    const bool about_address = answer.event == Event::kValidateSender || answer.event == Event::kValidateRecipient;
    assert(!verdict.rewrite || (about_address && (modifies.sender || modifies.recipient)));
    assert(verdict.add_headers.empty() || (verdict_counts(answer.event) && modifies.headers));
    assert(answer.mime.empty());
  }
  void on(const outcome::Failure& failure) {
    came_back(failure.id);
    assert(is_printable(failure.reason));
  }
  void on(const outcome::Notice& notice) { assert(is_printable(notice.text)); }
  void on(const outcome::Broken& end) {
    assert(is_printable(end.reason));
    assert(out.empty());
    broken = true;
  }
  void listen() {
    while (const auto outcome = channel.next()) {
      assert(!broken);
      std::visit([this](const auto& it) { on(it); }, *outcome);
    }
    assert(broken == channel.broken());
    assert(channel.outstanding() == out.size());
    assert(out.empty() == !channel.next_deadline().has_value());
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Conversation talk;
  talk.ask(Event::kHello, 10s);
  while (!input.empty()) {
    const std::string_view line = input.substr(0, std::min(input.find('\n'), input.size() - 1) + 1);
    input.remove_prefix(line.size());
    if (line.front() == '>') {
      talk.now += std::chrono::seconds(line.size());
      talk.channel.expire(talk.now);
      talk.listen();
      for (const char c : line.substr(1)) talk.ask(event_for(c), 10s);
    } else {
      talk.channel.received(line);
      talk.listen();
    }
  }
  talk.channel.fail("the input ended");
  talk.listen();
  assert(talk.broken && talk.out.empty());
  return 0;
}
