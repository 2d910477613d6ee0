#include "proto/hook/channel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "proto/hook/modifications.h"
#include "proto/hook/printable.h"

namespace hooksmtpd::hook {
namespace {

constexpr std::size_t kMaxNotedKeys = 64;

constexpr std::string_view kBuffered =
    "most often its output is buffered: Python print(..., flush=True), Perl $|=1, jq --unbuffered, sed -u, "
    "mawk -W interactive, else stdbuf -oL";

}  // namespace

std::size_t Channel::room() const {
  const std::size_t taken = outstanding_.size() + late_.size();
  return broken_ || taken >= concurrency_ ? 0 : concurrency_ - taken;
}

void Channel::sent(RequestId id, Event event, TimePoint deadline) {
  assert(room() > 0 && "more requests than the hook takes at once");
  assert(std::ranges::find(outstanding_, id, &Outstanding::id) == outstanding_.end() && "two requests with one id");
  secretive_ = secretive_ || event == Event::kAuth;
  outstanding_.push_back({.id = id, .event = event, .deadline = deadline, .from = received_});
}

bool Channel::has(RequestId id) const {
  return std::ranges::find(outstanding_, id, &Outstanding::id) != outstanding_.end() ||
         std::ranges::find(late_, id) != late_.end();
}

void Channel::received(std::string_view bytes) {
  if (broken_) return;
  line_ = {};
  buffer_.erase(0, std::exchange(read_, 0));
  buffer_.append(bytes);
  received_ += bytes.size();
}

std::optional<Outcome> Channel::next() {
  if (given_ == ready_.size()) {
    ready_.clear();
    given_ = 0;
  }
  while (ready_.empty() && !broken_) {
    const std::size_t begin = received_ - (buffer_.size() - read_);
    const auto line = next_line();
    if (!line) break;
    line_ = *line;
    read(*line, begin);
  }
  if (ready_.empty()) return std::nullopt;
  return std::move(ready_[given_++]);
}

std::optional<std::string_view> Channel::next_line() {
  const std::string_view unread = std::string_view(buffer_).substr(read_);
  const std::size_t length = std::min(unread.find('\n'), unread.size());
  const std::size_t limit = speaker_ == Speaker::kMimeHook ? kMaxMimeReply : kMaxReply;
  if (length >= limit) {
    fail(fmt::format("it wrote a line of more than {} octets, beginning {}", limit, quoted(unread)));
    return std::nullopt;
  }
  if (length == unread.size()) return std::nullopt;
  read_ += length + 1;
  return unread.substr(0, length);
}

void Channel::read(std::string_view line, std::size_t begin) {
  // Hello goes out first and alone.
  if (!outstanding_.empty() && outstanding_.front().event == Event::kHello && begin >= outstanding_.front().from) {
    read_hello(parse_hello_reply(line));
  } else {
    read_reply(parse_reply(line, speaker_), begin);
  }
}

void Channel::read_hello(std::expected<HelloReply, ReplyError> reply) {
  if (!reply && reply.error().kind == ReplyError::kStray) return stray(explain(reply.error()));
  if (!reply) return fail(std::move(reply.error().text));
  const RequestId id = outstanding_.front().id;
  if (reply->id.value_or(id) != id)
    return fail(fmt::format("it answered hello with the id {}, not {}", *reply->id, id));
  outstanding_.clear();
  stray_ = 0;
  concurrency_ = reply->concurrency;
  modifies_ = reply->modifies;
  note_unknown(reply->unknown_keys);
  ready_.emplace_back(outcome::Ready{.id = id, .reply = *std::move(reply)});
}

void Channel::read_reply(std::expected<Reply, ReplyError> reply, std::size_t begin) {
  if (!reply && reply.error().kind == ReplyError::kStray) return stray(explain(reply.error()));
  const auto position = match(reply ? reply->id : reply.error().id, begin);
  if (!position) return;
  if (!reply) return fail_one(*position, std::move(reply.error().text));
  if (auto wrong = check_modifications(reply->verdict, (*position)->event, modifies_)) {
    return fail_one(*position, std::move(*wrong));
  }
  note_unknown(reply->unknown_keys);
  const Outstanding asked = **position;
  outstanding_.erase(*position);
  stray_ = overruns_ = 0;
  ready_.emplace_back(outcome::Answer{.id = asked.id,
                                      .event = asked.event,
                                      .verdict = std::move(reply->verdict),
                                      .delay = reply->delay,
                                      .notes = std::move(reply->notes),
                                      .mime = std::move(reply->mime)});
}

// The request that a reply belongs to. None: the reply is dealt with.
std::optional<Channel::Position> Channel::match(std::optional<RequestId> id, std::size_t begin) {
  return concurrency_ == 1 ? match_serial(id, begin) : match_concurrent(id, begin);
}

// What a serial hook says once more than it was asked could be taken for the answer to the next request. So it must
// not have begun before that was sent, and a hook that speaks unasked is not to be trusted any more.
std::optional<Channel::Position> Channel::match_serial(std::optional<RequestId> id, std::size_t begin) {
  if (outstanding_.empty() || begin < outstanding_.front().from) {
    fail("it wrote a reply that nobody had asked for: exactly one line for each request");
    return std::nullopt;
  }
  const Position asked = outstanding_.begin();
  if (id.value_or(asked->id) != asked->id) {
    fail_one(asked, fmt::format("it answered request {} instead of {}", *id, asked->id));
    return std::nullopt;
  }
  return asked;
}

std::optional<Channel::Position> Channel::match_concurrent(std::optional<RequestId> id, std::size_t begin) {
  if (!id) {
    std::string reason = "it answered without an \"id\", which a hook with \"concurrency\" has to repeat";
    outstanding_.size() == 1 && late_.empty() ? fail_one(outstanding_.begin(), std::move(reason))
                                              : fail(std::move(reason));
    return std::nullopt;
  }
  const Position asked = std::ranges::find(outstanding_, *id, &Outstanding::id);
  if (asked != outstanding_.end() && begin >= asked->from) return asked;
  if (std::erase(late_, *id) > 0) {
    ready_.emplace_back(outcome::Notice{fmt::format("it answered request {} after the time limit; ignored", *id)});
  } else {
    stray(fmt::format("it answered request {}, which nobody asks; ignored", *id));
  }
  return std::nullopt;
}

void Channel::fail_one(Position position, std::string reason) {
  ready_.emplace_back(outcome::Failure{.id = position->id, .event = position->event, .reason = std::move(reason)});
  outstanding_.erase(position);
  stray_ = 0;
}

void Channel::stray(std::string text) {
  ready_.emplace_back(outcome::Notice{std::move(text)});
  if (++stray_ >= kMaxStrayLines) {
    fail(fmt::format("it wrote {} lines that are no replies: messages belong on stderr", kMaxStrayLines));
  }
}

void Channel::note_unknown(const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    if (noted_keys_.size() >= kMaxNotedKeys || std::ranges::find(noted_keys_, key) != noted_keys_.end()) continue;
    noted_keys_.push_back(key);
    ready_.emplace_back(outcome::Notice{fmt::format("unknown key \"{}\" in a reply; ignored", key)});
  }
}

void Channel::expire(TimePoint now) {
  line_ = {};
  for (std::size_t i = 0; i < outstanding_.size();) {
    const Outstanding asked = outstanding_[i];
    if (asked.deadline > now) {
      ++i;
      continue;
    }
    // A late answer could be taken for the next one.
    if (concurrency_ == 1) return fail(overrun_text(asked.event));
    fail_one(outstanding_.begin() + static_cast<std::ptrdiff_t>(i), overrun_text(asked.event));
    late_.push_back(asked.id);
    if (++overruns_ >= kMaxOverruns || late_.size() >= concurrency_) {
      return fail(fmt::format("it did not answer {} requests in time", late_.size()));
    }
  }
}

std::optional<Channel::TimePoint> Channel::next_deadline() const {
  if (outstanding_.empty()) return std::nullopt;
  return std::ranges::min_element(outstanding_, {}, &Outstanding::deadline)->deadline;
}

void Channel::fail(std::string reason) {
  if (std::exchange(broken_, true)) return;
  for (const Outstanding& asked : outstanding_) {
    ready_.emplace_back(outcome::Failure{.id = asked.id, .event = asked.event, .reason = reason});
  }
  ready_.emplace_back(outcome::Broken{std::move(reason)});
  outstanding_.clear();
  late_.clear();
  buffer_.clear();
  line_ = {};
  read_ = 0;
}

std::string Channel::explain(const ReplyError& error) const {
  return error.quote.empty() || secretive_ ? error.text : fmt::format("{}: \"{}\"", error.text, error.quote);
}

std::string Channel::quoted(std::string_view written) const {
  return secretive_ ? "what is not shown" : fmt::format("\"{}\"", printable(written, 80));
}

std::string Channel::overrun_text(Event event) const {
  std::string text = fmt::format("it did not answer {} in time", to_string(event));
  if (read_ < buffer_.size()) {
    return fmt::format("{}; it wrote {} without a line feed", text, quoted(std::string_view(buffer_).substr(read_)));
  }
  return event == Event::kHello ? fmt::format("{}; {}", text, kBuffered) : text;
}

}  // namespace hooksmtpd::hook
