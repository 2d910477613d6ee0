// The conversation with one hook process, from its start to its end: which requests are out, what its answers mean,
// and when it has to be restarted. No I/O and no clock: bytes and times go in, outcomes come out.
//
//   Channel channel;
//   append_request(line, id, hello);  channel.sent(id, Event::kHello, now + timeout);  // and write the line
//   ...
//   channel.received(bytes);          // whatever stdout gave; or channel.expire(now), or channel.fail("...")
//   while (auto outcome = channel.next()) std::visit(..., *outcome);
//   while (channel.room() > 0 && something waits) channel.sent(...);
//
// What a hook had to declare in its reply to hello (PROTOCOL.md, "Modifications") and did not, fails the request that
// it modifies; a modification in the reply to an event that has none to take is left out.
//
// Every request that was sent comes back exactly once, as an Answer, a Ready, or a Failure. After a Broken nothing more
// comes; the process is to be killed and started anew, with a new Channel.
//
// Requests wait for their turn on the caller's side, so that they outlive a restart.

#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proto/hook/event.h"
#include "proto/hook/reply.h"
#include "proto/mail/verdict.h"

namespace hooksmtpd::hook {

inline constexpr std::size_t kMaxStrayLines = 100;  // for one request
inline constexpr std::size_t kMaxOverruns = 3;      // in a row, of a hook with concurrency

// Texts of an outcome are one printable line, safe to log.
namespace outcome {

struct Ready {  // hello was answered; reply.ready may be false
  RequestId id;
  HelloReply reply;
};

struct Answer {
  RequestId id;
  Event event;
  mail::Verdict verdict;
  std::chrono::milliseconds delay{};
  std::optional<std::string> notes{};  // as Reply has them
  std::string mime{};
};

struct Failure {  // no verdict for this request: its on_failure decides. After that of hello comes a Broken.
  RequestId id;
  Event event;
  std::string reason;
};

struct Notice {  // something to log: a stray line, a key that nobody knows, an answer that came too late
  std::string text;
};

struct Broken {  // kill it and start it again
  std::string reason;
};

}  // namespace outcome

using Outcome = std::variant<outcome::Ready, outcome::Answer, outcome::Failure, outcome::Notice, outcome::Broken>;

class Channel {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // A mime hook's lines may be kMaxMimeReply long, and have a tree.
  explicit Channel(Speaker speaker = Speaker::kHook) : speaker_(speaker) {}

  // How many requests may be sent now. One, until the answer to hello says more.
  std::size_t room() const;

  // A request is on its way. There must be room for it; its id is not that of another request that is out.
  void sent(RequestId id, Event event, TimePoint deadline);

  // Takes what the hook wrote to stdout.
  void received(std::string_view bytes);

  // The time is `now`. Requests over their deadline fail.
  void expire(TimePoint now);
  // When expire() will next have something to do.
  std::optional<TimePoint> next_deadline() const;

  // The process ended, closed a pipe or has to go for another reason: all that is out fails with `reason`, and the
  // channel is broken. What it wrote before should have been received, and asked for, by then. After a Broken this
  // does nothing.
  void fail(std::string reason);

  // What came of it, in order. Ask until there is nothing more.
  std::optional<Outcome> next();

  // The line from which the outcome that next() gave last was read, without its LF; empty: it came from none. A view:
  // until the next call of anything here.
  std::string_view last_line() const { return line_; }

  std::size_t outstanding() const { return outstanding_.size(); }
  // The hook has not answered this request, which may be over its deadline.
  bool has(RequestId id) const;
  bool broken() const { return broken_; }

 private:
  struct Outstanding {
    RequestId id;
    Event event;
    TimePoint deadline;
    std::size_t from;  // octets that had been received when it was sent: what came before is no answer to it
  };
  using Position = std::vector<Outstanding>::iterator;

  std::optional<std::string_view> next_line();
  void read(std::string_view line, std::size_t begin);
  void read_hello(std::expected<HelloReply, ReplyError> reply);
  void read_reply(std::expected<Reply, ReplyError> reply, std::size_t begin);
  std::optional<Position> match(std::optional<RequestId> id, std::size_t begin);
  std::optional<Position> match_serial(std::optional<RequestId> id, std::size_t begin);
  std::optional<Position> match_concurrent(std::optional<RequestId> id, std::size_t begin);
  void fail_one(Position position, std::string reason);
  void stray(std::string text);
  void note_unknown(const std::vector<std::string>& keys);
  std::string explain(const ReplyError& error) const;
  std::string quoted(std::string_view written) const;
  std::string overrun_text(Event event) const;

  Speaker speaker_;
  std::vector<Outstanding> outstanding_;  // in the order of sending
  std::vector<RequestId> late_;           // overran, not answered yet: still with the hook (never of a serial one)
  std::size_t concurrency_ = 1;
  Modifies modifies_{};
  std::size_t overruns_ = 0;  // in a row
  std::size_t stray_ = 0;     // since the last answer

  std::string buffer_;          // received; bounded, since a line is
  std::size_t read_ = 0;        // of buffer_: octets that next_line() gave out
  std::string_view line_{};     // of buffer_: the last of them
  std::size_t received_ = 0;    // octets in all
  std::vector<Outcome> ready_;  // made; asked for are
  std::size_t given_ = 0;       // so many of them
  std::vector<std::string> noted_keys_;
  bool broken_ = false;
  bool secretive_ = false;  // it was asked about a password, and what it writes by mistake may be that password
};

}  // namespace hooksmtpd::hook
