// libFuzzer: a line as MAIL and as RCPT, judged under each offer; and as xtext. The first octet says what is offered.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "proto/smtp/parameters.h"
#include "proto/smtp/reply.h"
#include "proto/smtp/xtext.h"

using namespace hooksmtpd;
using namespace hooksmtpd::smtp;

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

Offer offer_of(std::uint8_t bits) {
  return {.size = (bits & 1) != 0,
          .eight_bit_mime = (bits & 2) != 0,
          .binary_mime = (bits & 4) != 0,
          .smtputf8 = (bits & 8) != 0,
          .dsn = (bits & 16) != 0,
          .auth = (bits & 16) != 0,
          .require_tls = (bits & 32) != 0,
          .deliver_by = (bits & 64) != 0,
          .future_release = (bits & 64) != 0,
          .mt_priority = (bits & 64) != 0,
          .tls = (bits & 128) != 0,
          .message_size = 100'000,
          .shortest_by = 60,
          .longest_hold = 86400,
          .latest_hold = std::chrono::sys_days(std::chrono::January / 1 / 2030)};
}

void expect_refusal(std::string_view reply) {
  expect(reply.ends_with("\r\n") && code_of(reply) >= 500 && code_of(reply) < 560);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Offer offer = offer_of(size == 0 ? 0 : data[0]);
  const std::string text(reinterpret_cast<const char*>(data) + (size == 0 ? 0 : 1), size == 0 ? 0 : size - 1);

  if (const auto mail = parse_mail(text)) {
    const auto terms = judge_mail(*mail, offer);
    if (!terms) {
      expect_refusal(terms.error());
    } else {
      expect(terms->smtputf8 || !mail->reverse_path || is_ascii(*mail->reverse_path));
      expect(offer.smtputf8 || !terms->smtputf8);
      expect(offer.binary_mime || terms->body != Body::kBinaryMime);
      expect(offer.tls || !terms->require_tls);
      expect(judge_mail(*mail, Offer()).has_value() == (mail->params.empty() && !terms->smtputf8));
    }
  }
  if (const auto rcpt = parse_rcpt(text)) {
    for (const bool smtputf8 : {false, true}) {
      const auto wrong = judge_rcpt(*rcpt, offer, {.smtputf8 = smtputf8});
      if (wrong) {
        expect_refusal(*wrong);
      } else {
        expect(smtputf8 || is_ascii(rcpt->mailbox));
        expect(offer.dsn || rcpt->params.empty());
      }
    }
  }
  expect(decode_xtext(encode_xtext(text)) == text);
  if (const auto plain = decode_xtext(text)) expect(decode_xtext(encode_xtext(*plain)) == plain);
  return 0;
}
