// libFuzzer: any address, with and without SMTPUTF8. What parses must be written so that it parses to the same, holds
// no control characters, and is ASCII where it must be.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proto/mail/idn.h"
#include "proto/mail/mailbox.h"
#include "proto/mail/utf8.h"

using namespace hooksmtpd::mail;

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

void parse(std::string_view text, Characters characters) {
  const auto mailbox = parse_mailbox(text, characters);
  if (!mailbox) return;
  expect(is_utf8_text(mailbox->local_part) && is_utf8_text(mailbox->domain));
  expect(characters == Characters::kUtf8 || is_ascii(*mailbox));
  expect(mailbox->local_part.size() <= kMaxLocalPart && mailbox->domain.size() <= kMaxDomain);
  const auto again = parse_mailbox(to_string(*mailbox), characters);
  // "a" with a needless backslash may come back longer than it was; nothing else may differ.
  expect(again ? *again == *mailbox : again.error() == AddressError::kLocalPartTooLong);
  const std::string ascii = ascii_domain(mailbox->domain);
  expect(is_ascii(ascii) && parse_domain(ascii) == ascii);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  parse(text, Characters::kAscii);
  parse(text, Characters::kUtf8);
  return 0;
}
