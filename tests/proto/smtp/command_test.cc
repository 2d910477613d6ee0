#include "proto/smtp/command.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace hooksmtpd;
using namespace hooksmtpd::smtp;

namespace {

std::string shown(const mail::Parameters& params) {
  std::string text;
  for (const auto& [keyword, value] : params) text += fmt::format(" {}={}", keyword, value);
  return text;
}

// A command line in a form that is small enough to read.
std::string shown(std::string_view line) {
  const auto [verb, arguments] = split_command(line);
  if (verb == Verb::kMail) {
    const auto mail = parse_mail(arguments);
    if (!mail) return "error " + std::string(mail.error().substr(0, 9));
    return "mail " + to_string(mail->reverse_path) + shown(mail->params);
  }
  if (verb == Verb::kRcpt) {
    const auto rcpt = parse_rcpt(arguments);
    if (!rcpt) return "error " + std::string(rcpt.error().substr(0, 9));
    return "rcpt " + to_string(rcpt->mailbox) + shown(rcpt->params);
  }
  return fmt::format("{} '{}'", static_cast<int>(verb), arguments);
}

struct Case {
  const char *line, *result;
};

constexpr Case kCases[] = {
    {"RCPT TO:<a@b.test>", "rcpt a@b.test"},
    {"rcpt to:<a@b.test>", "rcpt a@b.test"},
    {"RCPT TO: <a@b.test>", "error 501 5.5.4"},  // no space after the colon (§3.3)
    {"RCPT TO:a@b.test", "error 501 5.5.4"},
    {"RCPT TO:<a@b.test", "error 501 5.5.4"},
    {"RCPT", "error 501 5.5.4"},
    {"RCPT TO:<@x.test:a@b.test>", "rcpt a@b.test"},
    {"RCPT TO:<@x.test,@y.test:a@b.test>", "rcpt a@b.test"},
    {"RCPT TO:<@x.test,a@b.test>", "error 501 5.1.3"},
    {"RCPT TO:<@:a@b.test>", "error 501 5.1.3"},
    {"RCPT TO:<postMaster>", "rcpt postMaster"},
    {"RCPT TO:<postmaster> X=1", "rcpt postmaster X=1"},
    {"RCPT TO:<\">\"@b.test>", "rcpt \">\"@b.test"},
    {"RCPT TO:<\"\\\">\"@b.test>", "rcpt \"\\\">\"@b.test"},
    {"RCPT TO:<a@b.test> notify=never", "rcpt a@b.test NOTIFY=never"},
    {"MAIL FROM:<>", "mail "},
    {"MAIL FROM:<> SIZE=1  BODY=7BIT X", "mail  SIZE=1 BODY=7BIT X="},
    {"MAIL FROM:<a@b> S=1 s=2", "error 501 5.5.4"},
    {"MAIL FROM:<a@b> S=", "error 501 5.5.4"},
    {"MAIL FROM:<a@b> S=a=b", "error 501 5.5.4"},
    {"MAIL FROM:<a@b> -S=1", "error 501 5.5.4"},
    {"MAIL FROM:<a@b>S", "error 501 5.5.4"},
    {"MAIL FROM:<@a.test:>", "error 501 5.1.7"},
    {"QUIT", "7 ''"},
    {"quit   ", "7 ''"},
    {"NOOP  x ", "6 ' x'"},
    {"QUITE", "16 ''"},
    {"", "16 ''"},
    {"MAILFROM:<a@b>", "16 ''"},
};

}  // namespace

TEST_CASE("command lines are parsed as §4.1.1 spells them") {
  for (const Case& c : kCases) {
    CAPTURE(c.line);
    CHECK(shown(c.line) == c.result);
  }
}
