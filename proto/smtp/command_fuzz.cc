// libFuzzer: any command line. What parses must parse again, to the same, from its own wire form.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "proto/smtp/command.h"

using namespace hooksmtpd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto [verb, arguments] = smtp::split_command(line);
  (void)smtp::parse_helo(arguments);
  if (const auto mail = smtp::parse_mail(arguments); mail && mail->reverse_path) {
    const auto again = smtp::parse_mail("FROM:<" + to_string(*mail->reverse_path) + ">");
    // Quoting may lengthen what was just short enough; otherwise it is the same.
    if (again ? again->reverse_path != mail->reverse_path : !again.error().contains("too long")) std::abort();
  }
  if (const auto rcpt = smtp::parse_rcpt(arguments)) {
    const auto again = smtp::parse_rcpt("TO:<" + to_string(rcpt->mailbox) + ">");
    if (again ? again->mailbox != rcpt->mailbox : !again.error().contains("too long")) std::abort();
  }
  return 0;
}
