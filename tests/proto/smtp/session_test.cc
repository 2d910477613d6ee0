// What no transcript can show: timers, the queue's bounds, the life of a transaction.

#include "proto/smtp/session.h"

#include <doctest/doctest.h>

#include <deque>

#include "proto/smtp/limits.h"

using namespace hooksmtpd;
using namespace hooksmtpd::smtp;

namespace {

struct TestHost final : Host {
  void reply(std::string_view wire) override { said += wire; }
  void ask(QuestionId id, const Question&) override { asked.push_back(id); }
  void body(std::string_view run) override { message += run; }
  void transaction_over(const Transaction& transaction, std::string_view reply) override {
    over.push_back(transaction.id + " " + std::string(reply.substr(0, 3)));
  }
  void body_doomed() override {}
  bool full() override { return false; }
  Now now() override { return {}; }
  bool tls_available() override { return true; }
  void start_tls() override {}
  std::string nonce() override { return "fyko+d2lbbFgONRv9qkxdawL"; }

  std::string take() { return std::exchange(said, {}); }

  std::string said, message;
  std::deque<QuestionId> asked;
  std::vector<std::string> over;
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
