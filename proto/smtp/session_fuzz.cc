// libFuzzer: any bytes of a client, in pieces and with verdicts as the input itself says. Whatever comes, replies must
// be well-formed lines, and a session must never keep more than one line waiting.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "proto/smtp/fuzz_host.h"
#include "proto/smtp/session.h"

using namespace hooksmtpd;
using namespace hooksmtpd::smtp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const bool judged = data[0] & 1;
  Settings settings{.hostname = "mail.test",
                    .banner = "fuzz",
                    .message_size = 1000,
                    .recipients = 5,
                    .errors = data[0] & 2 ? 10u : 0u,
                    .commands = 0,
                    .strict_lines = (data[0] & 4) != 0,
                    .judged = {.host = judged,
                               .starttls = false,
                               .helo = (data[1] & 1) != 0,
                               .sender = judged,
                               .recipient = judged,
                               .data = (data[1] & 2) != 0,
                               .message = judged,
                               .command = (data[1] & 4) != 0}};
  settings.lenient = data[0] & 8;
  if (data[0] & 16) settings.protocol = Settings::Protocol::kLmtp;
  if (data[0] & 32) settings.hidden = {"ENHANCEDSTATUSCODES"};
  settings.auth = {.source = data[0] & 64 ? Settings::Auth::Source::kHook : Settings::Auth::Source::kAcceptAny,
                   .before_tls = true,
                   .mechanisms = {sasl::Mechanism::kPlain, sasl::Mechanism::kLogin, sasl::Mechanism::kXoauth2}};
  FuzzHost host;
  Session session(host, settings, {.address = "192.0.2.7", .port = 1, .may_xclient = (data[0] & 128) != 0}, "f");
  session.begin();
  std::string waiting;
  const std::size_t piece = std::size_t{data[1]} + 1;
  std::size_t turn = 2;
  const auto answer_one = [&](std::size_t which) {
    const QuestionId id = host.asked[which];
    host.asked.erase(host.asked.begin() + static_cast<std::ptrdiff_t>(which));
    const std::uint8_t choice = data[turn++ % size];
    mail::Verdict verdict{.action = static_cast<mail::Action>(choice % 5), .code = 0, .enhanced = "", .text = {}};
    if (choice & 64) verdict.text = {std::string(reinterpret_cast<const char*>(data), size)};
    if (choice & 32) verdict.rewrite = mail::Mailbox{.local_part = "r", .domain = "b.test"};
    if (choice & 16) verdict.add_headers = {{.name = "X-Fuzz", .value = "1"}};
    verdict.abrupt = choice & 8;
    session.answer(id, verdict);
    waiting.erase(0, session.receive(waiting));
  };
  for (std::size_t at = 2; at < size; at += piece) {
    waiting.append(reinterpret_cast<const char*>(data) + at, std::min(piece, size - at));
    waiting.erase(0, session.receive(waiting));
    require(session.waiting() || waiting.size() <= kMaxAuthLine);
    if (!session.closed() && !host.asked.empty() && data[at] & 1) answer_one(data[at] % host.asked.size());
  }
  while (!session.closed() && !host.asked.empty()) answer_one(0);
  require(session.closed() || !session.waiting());
  return 0;
}
