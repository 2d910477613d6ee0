// Feeds one line to the reply parsers. What they take keeps the promises of mail::Verdict; what they say about the rest
// can be logged.

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>

#include "proto/hook/reply.h"

using namespace hooksmtpd;

namespace {

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

// What a hook may put into a message is one line each, and an address is one that a client might have sent.
void check_modifications(const mail::Verdict& verdict) {
  const bool modifies = verdict.rewrite || !verdict.add_headers.empty();
  assert(!modifies || verdict.action == mail::Action::kAccept);
  assert(!verdict.abrupt || verdict.action == mail::Action::kClose);
  if (verdict.rewrite && *verdict.rewrite) {
    assert(mail::parse_mailbox(to_string(*verdict.rewrite), mail::Characters::kUtf8) == **verdict.rewrite);
  }
  std::size_t octets = 0;
  for (const auto& [name, value] : verdict.add_headers) {
    assert(!name.empty() && name.find_first_of(": ") == std::string::npos && is_printable(name));
    assert(std::ranges::all_of(value, [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); }));
    assert(value.size() <= hook::kMaxHeaderValue && name.size() + 2 + value.size() <= 998);
    octets += name.size() + value.size();
  }
  assert(verdict.add_headers.size() <= hook::kMaxAddedHeaders && octets <= hook::kMaxAddedHeaderOctets);
}

// JSON that was kept is ASCII, and read again it is the same.
void check_kept(const hook::Reply& reply) {
  std::string again = R"({"action":"accept")";
  if (reply.notes) again.append(",\"notes\":").append(*reply.notes);
  if (!reply.mime.empty()) again.append(",\"mime\":").append(reply.mime);
  again += '}';
  assert(is_printable(again));
  assert(!reply.notes || reply.notes->size() <= hook::kMaxNotes);
  const auto read = hook::parse_reply(again, hook::Speaker::kMimeHook);
  assert(read && read->notes == reply.notes && read->mime == reply.mime && read->unknown_keys.empty());
}

void check(const mail::Verdict& verdict) {
  check_modifications(verdict);
  const int least = verdict.action == mail::Action::kReject ? 500 : 400;
  const bool may_have_code = verdict.action == mail::Action::kReject || verdict.action == mail::Action::kDefer;
  assert(verdict.code == 0 || (may_have_code && verdict.code >= least && verdict.code < least + 60));
  assert(verdict.enhanced.empty() || verdict.enhanced.front() == (least == 500 ? '5' : '4'));
  assert(verdict.enhanced.empty() || !accepts(verdict));
  assert(verdict.text.size() <= 100);
  assert(verdict.recipients.empty() || verdict.action == mail::Action::kAccept);
  for (const mail::Verdict& recipient : verdict.recipients) {
    assert(recipient.action != mail::Action::kClose && recipient.recipients.empty());
    check(recipient);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  for (const auto speaker : {hook::Speaker::kHook, hook::Speaker::kMimeHook}) {
    if (const auto reply = hook::parse_reply(line, speaker)) {
      check(reply->verdict);
      check_kept(*reply);
      assert(std::ranges::all_of(reply->unknown_keys, is_printable));
      assert(reply->delay <= hook::kMaxDelay);
      assert(speaker == hook::Speaker::kMimeHook || reply->mime.empty());
    } else {
      assert(is_printable(reply.error().text));
    }
  }
  if (const auto hello = hook::parse_hello_reply(line)) {
    assert(hello->concurrency >= 1 && hello->concurrency <= hook::kMaxConcurrency);
  } else {
    assert(is_printable(hello.error().text));
  }
  return 0;
}
