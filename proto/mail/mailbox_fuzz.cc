// libFuzzer: any address. What parses must be written so that it parses to the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proto/mail/mailbox.h"

using namespace hooksmtpd::mail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto mailbox = parse_mailbox({reinterpret_cast<const char*>(data), size});
  if (!mailbox) return 0;
  const auto again = parse_mailbox(to_string(*mailbox));
  // "a" with a needless backslash may come back longer than it was; nothing else may differ.
  if (again ? *again != *mailbox : again.error() != AddressError::kLocalPartTooLong) std::abort();
  return 0;
}
