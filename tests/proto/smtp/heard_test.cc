// What a session tells whoever listens to it, and what it keeps to itself.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "proto/smtp/heard_line.h"
#include "proto/smtp/session.h"

using namespace hooksmtpd;
using namespace hooksmtpd::smtp;

namespace {

// Keeps what was heard and said, in order.
struct Listener final : Host {
  void reply(std::string_view wire) override { told.push_back("S " + std::string(wire.substr(0, 3))); }
  void ask(QuestionId id, const Question& question) override {
    last = id;
    if (const auto* command = std::get_if<question::Command>(&question)) told.push_back("? " + command->line);
  }
  void body(std::string_view) override {}
  void transaction_over(const Transaction&, std::string_view, TransactionEnd) override {}
  void body_doomed() override {}
  bool full() override { return false; }
  Now now() override { return {}; }
  bool tls_available() override { return true; }
  void start_tls() override {}
  std::string nonce() override { return "fyko+d2lbbFgONRv9qkxdawL"; }
  bool listening() const override { return listens; }
  void heard(std::string_view line) override { told.push_back("C " + std::string(line)); }
  void heard_data(std::uint64_t octets) override { told.push_back("C " + std::to_string(octets) + " octets"); }

  bool listens = true;
  std::vector<std::string> told;
  QuestionId last = 0;
};

struct Scene {
  explicit Scene(Settings wanted = {}) : settings(std::move(wanted)) {
    settings.hostname = "mail.test";
    session.begin();
    session.receive("EHLO x\r\n");
    host.told.clear();
  }
  std::vector<std::string> after(std::string_view bytes) {
    session.receive(bytes);
    return std::exchange(host.told, {});
  }

  Settings settings;
  Listener host;
  Session session{host, settings, {.address = "::1", .port = 1}, "s"};
};

using Told = std::vector<std::string>;

Settings with_auth() {
  return {.hostname = "mail.test",
          .banner = "hooksmtpd",
          .auth = {.source = Settings::Auth::Source::kAcceptAny,
                   .before_tls = true,
                   .mechanisms = {sasl::Mechanism::kPlain, sasl::Mechanism::kLogin}}};
}

}  // namespace

TEST_CASE("each line is heard before its reply, and a message as its octets") {
  Scene scene;
  CHECK(scene.after("MAIL FROM:<>\r\nRCPT TO:<a@b.test> \r\nDATA\r\nabc\r\n..\r\n.\r\nNOOP\n") ==
        Told{"C MAIL FROM:<>", "S 250", "C RCPT TO:<a@b.test> ", "S 250", "C DATA", "S 354", "C 8 octets", "S 250",
             "C NOOP", "S 500"});
  CHECK(scene.after("BDAT 3\r\nabc") == Told{"C BDAT 3", "C 3 octets", "S 503"});
  CHECK(scene.after("MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nBDAT 2\r\na") ==
        Told{"C MAIL FROM:<>", "S 250", "C RCPT TO:<a@b.test>", "S 250", "C BDAT 2"});
  CHECK(scene.after("bBDAT 0 LAST\r\n") == Told{"C 2 octets", "S 250", "C BDAT 0 LAST", "C 0 octets", "S 250"});
}

TEST_CASE("nothing is told where nobody listens") {
  Scene scene;
  scene.host.listens = false;
  CHECK(scene.after("NOOP\r\n") == Told{"S 250"});
}

TEST_CASE("of a line that is too long only that is heard") {
  Scene scene;
  CHECK(scene.after("NOOP " + std::string(5000, 'x') + "\r\n") == Told{"C *** (a line that is too long)", "S 500"});
}

TEST_CASE("no credential is heard (RFC 4954 §4)") {
  Scene scene(with_auth());
  CHECK(scene.after("AUTH PLAIN AGFubgBzZWNyZXQ\r\n") == Told{"C AUTH PLAIN ***", "S 501"});
  CHECK(scene.after("AUTH LOGIN\r\nYW5u\r\n*\r\n") ==
        Told{"C AUTH LOGIN", "S 334", "C ***", "S 334", "C ***", "S 501"});
  CHECK(scene.after("auth plain\r\nAGFubgBzZWNyZXQ=\r\nNOOP x\r\n") ==
        Told{"C AUTH PLAIN", "S 334", "C ***", "S 235", "C NOOP x", "S 250"});
}

TEST_CASE("answers that a client sent along with an AUTH that was refused are hidden, up to the next command") {
  Settings settings = with_auth();
  settings.judged.command = true;
  Scene scene(settings);
  CHECK(scene.after("AUTH CRAM-MD5\r\nYW5u\r\nc2VjcmV0\r\nNOOP\r\n") ==
        Told{"C AUTH CRAM-MD5", "S 504", "C ***", "S 500", "C ***", "S 500", "C NOOP", "S 250"});
  CHECK(scene.after("XFROB\r\n") == Told{"C XFROB", "? XFROB"});
}

TEST_CASE("what was meant as AUTH is hidden, however badly it is written") {
  for (const char* line : {"AUTH secret", " AUTH PLAIN secret", "\tauth\tPLAIN secret", "AUTHPLAIN secret", "AuTh"}) {
    CAPTURE(line);
    CHECK(begins_login(line));
    CHECK(without_credentials(line).find("secret") == std::string::npos);
  }
  CHECK(without_credentials("AUTH  login  secret") == "AUTH LOGIN ***");
  CHECK_FALSE(begins_login("AUT"));
  CHECK_FALSE(begins_login("NOOP AUTH"));
  CHECK_FALSE(begins_login(""));
}
