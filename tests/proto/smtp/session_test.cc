// What no transcript can show: timers, the queue's bounds, the life of a transaction.

#include "proto/smtp/session.h"

#include <doctest/doctest.h>

#include <deque>

#include "proto/sasl/base64.h"
#include "proto/sasl/password_file.h"
#include "proto/smtp/limits.h"

using namespace hooksmtpd;
using namespace hooksmtpd::smtp;

namespace {

struct TestHost final : Host {
  void reply(std::string_view wire) override { said += wire; }
  void ask(QuestionId id, const Question&) override { asked.push_back(id); }
  void body(std::string_view run) override { message += run; }
  void transaction_over(const Transaction& transaction, std::string_view reply, TransactionEnd why) override {
    over.push_back(transaction.id + " " + std::string(reply.substr(0, 3)));
    ends.push_back(why);
  }
  void body_doomed() override {}
  bool full() override { return false; }
  Now now() override { return {}; }
  bool tls_available() override { return tls_is_available; }
  void start_tls() override { ++handshakes; }
  std::string nonce() override { return "fyko+d2lbbFgONRv9qkxdawL"; }

  std::string take() { return std::exchange(said, {}); }

  std::string said, message;
  std::deque<QuestionId> asked;
  std::vector<std::string> over;
  std::vector<TransactionEnd> ends;
  bool tls_is_available = true;
  int handshakes = 0;
};

struct Bench {
  explicit Bench(Settings::Judged judged) {
    settings.judged = judged;
    session.begin();
    host.take();
  }
  std::size_t receive(std::string_view bytes) { return session.receive(bytes); }

  Settings settings{.hostname = "mail.test", .banner = "hooksmtpd"};
  TestHost host;
  Session session{host, settings, {.address = "::1", .port = 1}, "s"};
};

const mail::Verdict kAccept{};
const mail::Verdict kReject{.action = mail::Action::kReject, .code = 0, .enhanced = "", .text = {}};

}  // namespace

TEST_CASE("replies leave in the order of the commands, whatever the order of the verdicts (RFC 2920 §3.2)") {
  Bench b({.recipient = true});
  const std::string_view rest = "RCPT TO:<a@b.test>\r\nRCPT TO:<bad\r\nRCPT TO:<c@b.test>\r\nDATA\r\n";
  b.receive("EHLO x\r\nMAIL FROM:<>\r\n");
  b.host.take();
  const std::size_t used = b.receive(rest);
  CHECK(rest.substr(used) == "DATA\r\n");  // waits for the verdicts
  CHECK(b.host.asked.size() == 2);
  CHECK(b.host.take().empty());
  b.session.answer(b.host.asked[1], kAccept);
  CHECK(b.host.take().empty());
  b.session.answer(b.host.asked[0], kReject);
  CHECK(b.host.take() ==
        "553 5.1.1 Requested action not taken: mailbox name not allowed\r\n"
        "501 5.5.4 Syntax error: RCPT TO:<address> is expected\r\n"
        "250 2.1.5 OK\r\n");
  CHECK_FALSE(b.session.waiting());
  CHECK(b.receive("DATA\r\n") == 6);
  CHECK(b.host.take().starts_with("354"));
}

TEST_CASE("RCPT waits for the verdict on MAIL, since a refused sender makes it 503") {
  Bench b({.sender = true, .recipient = true});
  CHECK(b.receive("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\n") == 22);
  CHECK(b.host.asked.size() == 1);
}

TEST_CASE("no more than kMaxQuestions are out at once") {
  Bench b({.recipient = true});
  b.receive("EHLO x\r\nMAIL FROM:<>\r\n");
  std::string many;
  for (std::size_t i = 0; i < kMaxQuestions + 10; ++i) many += "RCPT TO:<a@b.test>\r\n";
  CHECK(b.receive(many) == many.size() / (kMaxQuestions + 10) * kMaxQuestions);
  CHECK(b.host.asked.size() == kMaxQuestions);
}

TEST_CASE("a farewell is 421 with our name, overtakes what waits, and is the last thing said (§4.2.2)") {
  Bench b({.recipient = true});
  b.receive("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\n");
  b.host.take();
  b.session.end(Farewell::kShuttingDown);
  CHECK(b.host.take() == "421 4.3.2 mail.test Service is stopping, closing transmission channel\r\n");
  CHECK(b.session.closed());
  b.session.answer(b.host.asked[0], kAccept);  // comes too late
  b.session.end(Farewell::kIdle);
  CHECK(b.receive("NOOP\r\n") == 6);
  CHECK(b.host.take().empty());
}

TEST_CASE("each transaction ends once, with the reply to its data or with none") {
  Bench b({.message = true});
  b.receive("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nRSET\r\nMAIL FROM:<>\r\nEHLO y\r\n");
  CHECK(b.host.over == std::vector<std::string>{"s-1 ", "s-2 "});
  b.receive("MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\nx\r\n.\r\n");
  CHECK(b.host.over.size() == 2);
  b.session.answer(b.host.asked.at(0), kReject);
  CHECK(b.host.over.back() == "s-3 554");
  CHECK(b.session.counts().messages_refused == 1);
  CHECK(b.session.transaction() == nullptr);
}

TEST_CASE("recipients that take more room than a hook's request has are too many (§4.5.3.1.10), never the first 100") {
  Bench bench({.recipient = true});
  bench.receive("EHLO x\r\nMAIL FROM:<a@b.test> SMTPUTF8\r\n");
  bench.host.take();
  std::string local, orcpt;
  for (int i = 0; i < 32; ++i) local += "\xc3\xb6";
  for (int i = 0; i < 230; ++i) orcpt += "\xc3\xb6";
  const std::string rcpt =
      "RCPT TO:<" + local + "@" + std::string(60, 'x') + "." + std::string(60, 'y') + ".test> ORCPT=utf-8;" + orcpt;
  std::size_t accepted = 0;
  std::string reply;
  for (; accepted < 1000; ++accepted) {
    bench.receive(rcpt + "\r\n");
    if (!bench.host.asked.empty()) bench.session.answer(bench.host.asked.back(), kAccept);
    bench.host.asked.clear();
    reply = bench.host.take();
    if (!reply.starts_with("250")) break;
  }
  CHECK(reply == "452 4.5.3 Too many recipients\r\n");
  CHECK(accepted >= 100);
  CHECK(accepted * 3 * (local.size() + orcpt.size()) <= kMaxRecipientsRoom);
  CHECK(bench.session.transaction()->recipients_room <= kMaxRecipientsRoom);
  bench.receive("RCPT TO:<short@b.test>\r\n");
  CHECK(bench.host.take() == "");  // asked about: there is room for that
}

TEST_CASE("where nobody judges messages, none is passed on") {
  Bench b({});
  b.receive("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\nx\r\n.\r\n");
  CHECK(b.host.message.empty());
  CHECK(b.session.counts().messages_accepted == 1);
}

TEST_CASE("a line that is skipped is answered at its end, once") {
  Bench b({});
  const std::string part(kMaxCommandLine + 1, 'x');
  CHECK(b.receive(part) == part.size());
  CHECK(b.host.take().empty());
  CHECK(b.receive("yyy\r\nNOOP\r\n") == 11);
  CHECK(b.host.take() == "500 5.5.2 Line too long\r\n250 2.0.0 OK\r\n");
}

TEST_CASE("STARTTLS is told to come back later while no handshake can be done (RFC 3207 §4)") {
  Bench b({});
  b.settings.tls = Settings::Tls::kOffered;
  b.host.tls_is_available = false;
  b.receive("EHLO x\r\nMAIL FROM:<>\r\n");
  b.host.take();
  b.receive("STARTTLS\r\n");
  CHECK(b.host.take() == "454 4.7.0 TLS not available due to temporary reason\r\n");
  CHECK(b.host.handshakes == 0);
  CHECK(b.session.transaction() != nullptr);
}

TEST_CASE("from the reply to STARTTLS to the handshake everything is swallowed, and nothing is said") {
  Bench b({.sender = true});
  b.settings.tls = Settings::Tls::kOffered;
  b.receive("EHLO x\r\n");
  b.host.take();
  CHECK(b.receive("STARTTLS\r\nEHLO y\r\nMAIL") == 22);
  CHECK(b.host.take() == "220 2.0.0 Ready to start TLS\r\n");
  CHECK(b.session.starting_tls());
  CHECK(b.receive("NOOP\r\n") == 6);
  CHECK(b.session.helo().empty());
  b.session.end(Farewell::kIdle);
  CHECK(b.session.closed());
  CHECK(b.session.how_ended() == End::kTimeout);
  b.session.secured({.version = "TLSv1.3"});  // comes too late
  CHECK(b.host.take().empty());
}

TEST_CASE("a session is called what it is (RFC 3848, RFC 6531 §4.3)") {
  for (const bool lmtp : {false, true}) {
    for (const bool tls : {false, true}) {
      for (const bool auth : {false, true}) {
        for (const bool utf8 : {false, true}) {
          Bench b({});
          b.settings.protocol = lmtp ? Settings::Protocol::kLmtp : Settings::Protocol::kSmtp;
          b.settings.tls = Settings::Tls::kOffered;
          b.settings.auth = {.source = Settings::Auth::Source::kAcceptAny,
                             .before_tls = true,
                             .mechanisms = {sasl::Mechanism::kPlain}};
          CHECK(b.session.protocol().empty());
          const std::string hello = lmtp ? "LHLO x\r\n" : "EHLO x\r\n";
          b.receive(hello);
          if (tls) {
            b.receive("STARTTLS\r\n");
            b.session.secured({.version = "TLSv1.3"});
            CHECK(b.session.protocol().empty());
            b.receive(hello);
          }
          if (auth) b.receive("AUTH PLAIN AGFubgBzZWNyZXQ=\r\n");
          b.receive(utf8 ? "MAIL FROM:<> SMTPUTF8\r\n" : "MAIL FROM:<>\r\n");
          const std::string name = std::string(utf8 ? "UTF8" : "") +
                                   (lmtp   ? "LMTP"
                                    : utf8 ? "SMTP"
                                           : "ESMTP") +
                                   (tls ? "S" : "") + (auth ? "A" : "");
          CHECK(b.session.protocol() == name);
          CHECK(b.session.user() == (auth ? "ann" : ""));
        }
      }
    }
  }
  Bench b({});
  b.receive("HELO x\r\n");
  CHECK(b.session.protocol() == "SMTP");
}

TEST_CASE("SCRAM takes its messages in 334 lines, and the client gets the server's proof (RFC 5802, RFC 4954 §4)") {
  // RFC 7677 §3, with the server's nonce of our own.
  const auto users = sasl::PasswordFile::parse(
                         "user:{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==$"
                         "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=$wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n")
                         .value();
  Bench b({});
  b.settings.auth = {.source = Settings::Auth::Source::kPasswords,
                     .before_tls = true,
                     .mechanisms = {sasl::Mechanism::kScramSha256},
                     .users = &users};
  b.receive("EHLO x\r\n");
  b.host.take();
  b.receive("AUTH SCRAM-SHA-256 " + sasl::base64_encode("n,,n=user,r=rOprNGfwEbeRWgbNEkqO") + "\r\n");
  const std::string first = b.host.take();
  REQUIRE(first.starts_with("334 "));
  CHECK(sasl::base64_decode(first.substr(4, first.size() - 6)) ==
        "r=rOprNGfwEbeRWgbNEkqOfyko+d2lbbFgONRv9qkxdawL,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  b.receive(sasl::base64_encode("c=biws,r=rOprNGfwEbeRWgbNEkqOfyko+d2lbbFgONRv9qkxdawL,"
                                "p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=") +
            "\r\n");
  CHECK(b.host.take() == "535 5.7.8 Authentication credentials invalid\r\n");
  CHECK_FALSE(b.session.authenticated());
}

TEST_CASE("where the password file could not be had AUTH is refused for now, and not for ever (RFC 4954 §6)") {
  Bench b({});
  b.settings.auth = {
      .source = Settings::Auth::Source::kPasswords, .before_tls = true, .mechanisms = {sasl::Mechanism::kPlain}};
  b.receive("EHLO x\r\n");
  b.host.take();
  b.receive("AUTH PLAIN AGFubgBzZWNyZXQ=\r\n");
  CHECK(b.host.take() == "454 4.7.0 Temporary authentication failure\r\n");
}

TEST_CASE("a chunk that is cut off by the end of the session ends with it") {
  Bench b({.message = true});
  b.receive("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nBDAT 100\r\nabc");
  b.host.take();
  CHECK(b.session.in_data());
  b.session.end(Farewell::kSlowData);
  CHECK(b.host.take() ==
        "421 4.4.2 mail.test No more data in time and the chunk is not complete, closing transmission channel\r\n");
  CHECK_FALSE(b.session.in_data());
}

TEST_CASE("a message too large is dropped as soon as its chunk is announced, and counted as refused") {
  Bench b({.message = true});
  b.settings.message_size = 1000;
  b.receive("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\n");
  b.host.take();
  b.receive("BDAT 1001 LAST\r\n" + std::string(1000, 'x'));
  CHECK(b.host.take().empty());
  CHECK(b.host.message.find("xxx") == std::string::npos);
  b.receive("x");
  CHECK(b.host.take() == "552 5.3.4 Message exceeds the size limit\r\n");
  CHECK(b.session.counts().messages_refused == 1);
}

TEST_CASE("over LMTP a message counts as accepted if one recipient got it") {
  Bench b({.message = true});
  b.settings.protocol = Settings::Protocol::kLmtp;
  b.receive("LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n.\r\n");
  b.host.take();
  mail::Verdict verdict;
  verdict.recipients = {kReject, kAccept};
  b.session.answer(b.host.asked.at(0), verdict);
  CHECK(b.host.take() == "554 5.0.0 Transaction failed\r\n250 2.0.0 s-1 Message accepted for delivery\r\n");
  CHECK(b.host.over == std::vector<std::string>{"s-1 250"});
  CHECK(b.session.counts().messages_accepted == 1);
}

TEST_CASE("a line without end ends the session, as a command and as an answer to AUTH; little of it is kept") {
  for (const bool in_auth : {false, true}) {
    Bench b({});
    b.settings.auth = {
        .source = Settings::Auth::Source::kAcceptAny, .before_tls = true, .mechanisms = {sasl::Mechanism::kPlain}};
    b.receive(in_auth ? "EHLO x\r\nAUTH PLAIN\r\n" : "EHLO x\r\n");
    b.host.take();
    const std::string longest(in_auth ? kMaxAuthLine : kMaxCommandLine, 'A');
    CHECK(b.receive(longest) == 0);  // kept: it may still end in time
    CHECK(b.receive(longest + 'A') == longest.size() + 1);
    for (std::size_t sent = 0; sent <= kMaxSkippedLine; sent += longest.size()) {
      CHECK(b.receive(longest) == longest.size());
    }
    CHECK(b.host.take() == "421 4.7.0 mail.test A line without end, closing transmission channel\r\n");
    CHECK(b.session.closed());
  }
}

TEST_CASE("an idle session is small: what is rare lies elsewhere") { CHECK(sizeof(Session) <= 280); }

TEST_CASE("why a transaction ended is told") {
  Bench b({.data = true, .message = true});
  b.receive("EHLO x\r\nMAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\nEHLO y\r\nMAIL FROM:<>\r\nSTARTTLS\r\n");
  using enum TransactionEnd;
  CHECK(b.host.ends == std::vector{kRset, kHello});  // STARTTLS is not offered
  b.receive("RCPT TO:<a@b.test>\r\n");
  const auto answer = [&](const mail::Verdict& verdict) {
    b.session.answer(b.host.asked.back(), verdict);
    return b.host.ends.back();
  };
  b.receive("DATA\r\n");
  CHECK(answer(kReject) == kHello);  // it goes on
  b.receive("DATA\r\n");
  answer(kAccept);
  b.receive("x\r\n.\r\n");
  CHECK(answer(kReject) == kRefused);
  b.receive("MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nBDAT 0 LAST\r\n");
  CHECK(answer(kReject) == kFailed);
  b.receive("MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n");
  answer(kAccept);
  b.receive("bare\n\r\n.\r\n");
  CHECK(b.host.ends.back() == kFailed);
  b.receive("MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n");
  CHECK(answer({.action = mail::Action::kDiscard, .code = 0, .enhanced = "", .text = {}}) == kFailed);
  b.receive("x\r\n.\r\n");
  CHECK(b.host.ends.back() == kDone);
  CHECK(b.host.ends.size() == 6);
}

TEST_CASE("a hook may drop a client without a word, whatever it was asked") {
  const mail::Verdict drop{.action = mail::Action::kClose, .code = 0, .enhanced = "", .text = {"x"}, .abrupt = true};
  const std::string_view commands =
      "XFROB\r\nEHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n";
  for (std::size_t dropped = 0; dropped < 6; ++dropped) {
    Bench b({.helo = true, .sender = true, .recipient = true, .data = true, .message = true, .command = true});
    std::string waiting(commands);
    for (std::size_t i = 0; i <= dropped; ++i) {
      waiting.erase(0, b.session.receive(waiting));
      REQUIRE(b.host.asked.size() == i + 1);
      b.host.take();
      b.session.answer(b.host.asked.back(), i == dropped ? drop : kAccept);
    }
    CHECK(b.session.closed());
    CHECK(b.session.how_ended() == End::kDropped);
    CHECK(b.host.take().empty());
    CHECK(b.receive("NOOP\r\n") == 6);
    CHECK(b.host.take().empty());
  }
}

TEST_CASE("a farewell ends a session while any question is out, and the verdict that comes later is nothing") {
  const std::string_view commands = "XFROB\r\nEHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nBDAT 3 LAST\r\nabc";
  for (std::size_t out = 0; out < 6; ++out) {
    Bench b({.helo = true, .sender = true, .recipient = true, .data = true, .message = true, .command = true});
    std::string waiting(commands);
    for (std::size_t i = 0; i < out; ++i) {
      waiting.erase(0, b.session.receive(waiting));
      b.session.answer(b.host.asked.back(), kAccept);
    }
    waiting.erase(0, b.session.receive(waiting));
    REQUIRE(b.host.asked.size() == out + 1);
    CHECK_FALSE(b.session.in_data());
    b.host.take();
    b.session.end(Farewell::kIdle);
    CHECK(b.host.take().starts_with("421 4.4.2 "));
    b.session.answer(b.host.asked.back(), kAccept);
    CHECK(b.session.receive(waiting) == waiting.size());
    CHECK(b.host.take().empty());
  }
}

TEST_CASE("while a chunk waits to be judged nothing of it is looked at, however long it is") {
  Bench b({.data = true, .message = true});
  b.receive("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\n");
  CHECK(b.receive("BDAT 5000 LAST\r\n") == 16);
  const std::string octets(5000, 'x');
  CHECK(b.receive(octets) == 0);
  b.session.answer(b.host.asked.back(), kAccept);
  CHECK(b.receive(octets) == 5000);
  CHECK(b.host.message.ends_with(octets));
}

TEST_CASE("a session that was told to forget its client asks about its new name and no more about the encryption") {
  Settings settings{.hostname = "mail.test", .banner = "hooksmtpd"};
  settings.judged = {.host = true, .starttls = true, .helo = true};
  TestHost host;
  Session session(host, settings, {.address = "::1", .port = 1, .may_xclient = true}, "s");
  session.secured({.version = "TLSv1.3"});
  session.begin();
  CHECK(host.asked.size() == 1);  // starttls
  session.answer(host.asked.back(), kAccept);
  CHECK(host.asked.size() == 2);  // host
  session.answer(host.asked.back(), kAccept);
  session.receive("XCLIENT ADDR=192.0.2.1 HELO=named.test\r\n");
  CHECK(host.asked.size() == 3);  // host again, and not the name that the proxy has heard
  CHECK(session.helo() == "named.test");
}
