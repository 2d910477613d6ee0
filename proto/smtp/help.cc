#include "proto/smtp/help.h"

#include <algorithm>
#include <array>
#include <vector>

namespace hooksmtpd::smtp {
namespace {

struct Topic {
  std::string_view name;
  std::vector<std::string> lines;
};

const std::array kTopics{
    Topic{"",
          {"Topics:", "   EHLO HELO MAIL RCPT DATA RSET NOOP QUIT VRFY EXPN HELP",
           "For more information use \"HELP <topic>\".", "End of HELP"}},
    Topic{"EHLO", {"EHLO <hostname>", "   Introduce yourself and ask for extensions.", "End of HELP"}},
    Topic{"HELO", {"HELO <hostname>", "   Introduce yourself.", "End of HELP"}},
    Topic{"MAIL",
          {"MAIL FROM:<sender> [<parameters>]", "   Specify the sender of the message; <> for none.",
           "   Parameters: SIZE=<octets>, BODY=7BIT or BODY=8BITMIME.", "End of HELP"}},
    Topic{"RCPT", {"RCPT TO:<recipient>", "   Specify a recipient of the message; once for each.", "End of HELP"}},
    Topic{"DATA", {"DATA", "   Send your mail message.", "   End with a line containing a single dot.", "End of HELP"}},
    Topic{"RSET", {"RSET", "   Reset the session: forget sender and recipients.", "End of HELP"}},
    Topic{"NOOP", {"NOOP", "   Command ignored by server.", "End of HELP"}},
    Topic{"QUIT", {"QUIT", "   Exit SMTP session.", "End of HELP"}},
    Topic{"VRFY", {"VRFY <address>", "   Verify an address; it is never told whether it exists.", "End of HELP"}},
    Topic{"EXPN", {"EXPN <list>", "   Expand a mailing list; there are none here.", "End of HELP"}},
    Topic{"HELP", {"HELP [<topic>]", "   This text.", "End of HELP"}},
};

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

std::optional<std::span<const std::string>> help(std::string_view topic) {
  const auto found = std::ranges::find_if(
      kTopics, [&](const Topic& known) { return std::ranges::equal(topic, known.name, {}, upper); });
  if (found == kTopics.end()) return std::nullopt;
  return found->lines;
}

}  // namespace hooksmtpd::smtp
