// Feeds one line to the reply parsers. What they take keeps the promises of mail::Verdict; what they say about the rest
// can be logged.

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>

#include "proto/hook/reply.h"

using namespace hooksmtpd;

namespace {

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

void check(const mail::Verdict& verdict) {
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
  if (const auto reply = hook::parse_reply(line)) {
    check(reply->verdict);
    assert(std::ranges::all_of(reply->unknown_keys, is_printable));
    assert(reply->delay <= hook::kMaxDelay);
  } else {
    assert(is_printable(reply.error().text));
  }
  if (const auto hello = hook::parse_hello_reply(line)) {
    assert(hello->concurrency >= 1 && hello->concurrency <= hook::kMaxConcurrency);
  } else {
    assert(is_printable(hello.error().text));
  }
  return 0;
}
