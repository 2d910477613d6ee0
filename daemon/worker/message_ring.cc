#include "daemon/worker/message_ring.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <utility>

#include "daemon/worker/cursor.h"
#include "daemon/worker/utc.h"
#include "proto/hook/json_writer.h"

namespace hooksmtpd::worker {
namespace {

// Octets: so long are nearly all of them.
constexpr std::size_t kUsual = 1024;

}  // namespace

std::string subject_of_message(std::string_view head) {
  constexpr std::string_view kName = "Subject:";
  std::size_t line = 0;
  while (line < head.size() && !head.substr(line).starts_with("\r\n")) {
    std::size_t end = head.find("\r\n", line);
    if (head.size() - line >= kName.size() && strncasecmp(head.data() + line, kName.data(), kName.size()) == 0) {
      // A line that begins with white space goes on with the one before (RFC 5322 §2.2.3).
      while (end < head.size() && (head.substr(end + 2, 1) == " " || head.substr(end + 2, 1) == "\t")) {
        end = head.find("\r\n", end + 2);
      }
      std::string_view value = head.substr(line, end - line).substr(kName.size());
      if (value.starts_with(' ')) value.remove_prefix(1);
      return std::string(value.substr(0, kMaxSubject));
    }
    if (end == std::string_view::npos) break;
    line = end + 2;
  }
  return {};
}

void MessageRing::accepted(const AcceptedMessage& message) {
  // The memory of the oldest one serves the newest, unless that would be more than it needs.
  std::string members;
  while (!kept_.empty() && (kept_.size() >= kMaxKept || octets_ > kMaxOctets)) {
    octets_ -= kept_.front().members.capacity();
    members = std::move(kept_.front().members);
    kept_.pop_front();
  }
  if (members.capacity() > kUsual) members = {};
  members.clear();
  hook::JsonWriter json(members);
  json.text("transaction", message.transaction);
  json.text("session", message.session);
  json.text("listener", message.listener);
  json.text("client", message.client);
  if (!message.user.empty()) json.text("user", message.user);
  json.text("from", to_string(message.envelope.reverse_path));
  json.begin_array("to");
  for (const mail::Recipient& recipient : message.envelope.recipients) json.text(to_string(recipient.mailbox));
  json.end_array();
  json.number("size", message.size);
  json.text("subject", message.subject);
  octets_ += members.capacity();
  kept_.push_back({.when = std::chrono::system_clock::now(), .members = std::move(members)});
  ++sequence_;
  if (subscribers_.empty()) return;
  const std::string line = line_of(sequence_, kept_.back());
  for (const auto& subscriber : subscribers_) subscriber->tell(line);
}

std::size_t MessageRing::memory() const {
  std::size_t octets = 0;
  for (const Kept& kept : kept_) octets += kept.members.capacity();
  return octets;
}

std::string MessageRing::cursor(std::uint64_t sequence) const { return to_cursor(start_, sequence); }

std::string MessageRing::line_of(std::uint64_t sequence, const Kept& kept) const {
  return fmt::format(R"({{"what":"message","cursor":"{}","time":"{}",{}}})", cursor(sequence), utc(kept.when),
                     kept.members);
}

void MessageRing::subscribe(std::unique_ptr<Subscriber> subscriber, std::string_view since) {
  std::uint64_t from = sequence_;
  if (!since.empty()) {
    const auto asked = place_of(since, start_, sequence_);
    if (!asked) {
      subscriber->tell(R"({"ok":false,"kind":"usage","error":"since: that is no cursor of this daemon"})");
      subscriber->close_when_told();
      return subscribers_.push_back(std::move(subscriber));
    }
    from = *asked;
  }
  const std::uint64_t first_kept = sequence_ - kept_.size();
  const std::uint64_t told_from = std::max(from, first_kept);
  subscriber->tell(fmt::format(R"({{"ok":true,"cursor":"{}","missed":{}}})", cursor(told_from), told_from - from));
  for (std::uint64_t sequence = told_from; sequence < sequence_; ++sequence) {
    subscriber->tell(line_of(sequence + 1, kept_[static_cast<std::size_t>(sequence - first_kept)]));
  }
  subscribers_.push_back(std::move(subscriber));
}

void MessageRing::end_of_turn() {
  for (const auto& subscriber : subscribers_) subscriber->flush();
  std::erase_if(subscribers_, [](const auto& subscriber) { return subscriber->gone(); });
}

}  // namespace hooksmtpd::worker
