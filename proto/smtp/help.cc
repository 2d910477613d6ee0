#include "proto/smtp/help.h"

#include <algorithm>
#include <array>

namespace hooksmtpd::smtp {
namespace {

struct Topic {
  Verb verb;
  std::array<std::string_view, 3> lines;  // the rest are empty
};

constexpr std::array kTopics{
    Topic{Verb::kEhlo, {"EHLO <hostname>", "   Introduce yourself and ask for extensions."}},
    Topic{Verb::kHelo, {"HELO <hostname>", "   Introduce yourself."}},
    Topic{Verb::kLhlo, {"LHLO <hostname>", "   Introduce yourself and ask for extensions."}},
    Topic{Verb::kStartTls, {"STARTTLS", "   Go on encrypted; then introduce yourself again."}},
    Topic{Verb::kAuth,
          {"AUTH <mechanism> [<initial response>]", "   Show who you are; EHLO lists the mechanisms.",
           "   A line with a single asterisk gives up."}},
    Topic{Verb::kMail,
          {"MAIL FROM:<sender> [<parameters>]", "   Specify the sender of the message; <> for none.",
           "   Parameters: those of the extensions that EHLO lists, such as SIZE=<octets>."}},
    Topic{Verb::kRcpt, {"RCPT TO:<recipient> [<parameters>]", "   Specify a recipient of the message; once for each."}},
    Topic{Verb::kData, {"DATA", "   Send your mail message.", "   End with a line containing a single dot."}},
    Topic{Verb::kBdat,
          {"BDAT <octets> [LAST]", "   Send so many octets of your mail message, right behind this line.",
           "   With LAST they are its end."}},
    Topic{Verb::kRset, {"RSET", "   Reset the session: forget sender and recipients."}},
    Topic{Verb::kNoop, {"NOOP", "   Command ignored by server."}},
    Topic{Verb::kQuit, {"QUIT", "   Exit SMTP session."}},
    Topic{Verb::kVrfy, {"VRFY <address>", "   Verify an address; it is never told whether it exists."}},
    Topic{Verb::kExpn, {"EXPN <list>", "   Expand a mailing list; there are none here."}},
    Topic{Verb::kXclient, {"XCLIENT <attribute>=<value>...", "   Say on whose behalf you speak."}},
    Topic{Verb::kHelp, {"HELP [<topic>]", "   This text."}},
};

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

std::vector<std::string> help(std::string_view topic, const Circumstances& circumstances) {
  std::vector<std::string> lines;
  std::string all = "  ";
  for (const Topic& known : kTopics) {
    if (!understands(known.verb, circumstances)) continue;
    const std::string_view name = to_string(known.verb);
    (all += ' ') += name;
    if (!std::ranges::equal(topic, name, {}, upper)) continue;
    for (const std::string_view line : known.lines) {
      if (!line.empty()) lines.emplace_back(line);
    }
  }
  if (topic.empty()) lines = {"Topics:", all, "For more information use \"HELP <topic>\"."};
  if (!lines.empty()) lines.emplace_back("End of HELP");
  return lines;
}

}  // namespace hooksmtpd::smtp
