// SMTP smuggling (CVE-2023-51764 and its kin) as a matrix: every way to put CR, LF, CRLF and NUL around a dot, at every
// split of the stream, after DATA and in BDAT, strict and lenient. A second server that ends a message elsewhere than
// we do would take what follows for commands; so what follows must be part of the message here, or the message is
// refused.

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "proto/smtp/session.h"

using namespace hooksmtpd;
using namespace hooksmtpd::smtp;

namespace {

// What a session said, and each message that it asked about.
struct MatrixHost final : Host {
  void reply(std::string_view wire) override { said += wire; }
  void ask(QuestionId id, const Question&) override {
    messages.push_back(message);
    asked.push_back(id);
  }
  void body(std::string_view run) override { message += run; }
  void transaction_over(const Transaction&, std::string_view, TransactionEnd) override { message.clear(); }
  void body_doomed() override { message.clear(); }
  bool full() override { return false; }
  Now now() override { return {}; }
  bool tls_available() override { return false; }
  void start_tls() override {}
  std::string nonce() override { return ""; }

  std::string said, message;
  std::deque<QuestionId> asked;
  std::vector<std::string> messages;
};

struct Outcome {
  std::string said;
  std::vector<std::string> messages;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

enum class Lines { kStrict, kLenient };

// Sends `stream` in two pieces behind an EHLO, a MAIL and a RCPT.
Outcome send(std::string_view stream, std::size_t cut, Lines lines) {
  Settings settings{.hostname = "mail.test", .banner = "hooksmtpd"};
  settings.judged.message = true;
  settings.lenient = lines == Lines::kLenient;
  MatrixHost host;
  Session session(host, settings, {.address = "127.0.0.1", .port = 1}, "s");
  session.begin();
  session.receive("EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<a@b.test>\r\n");
  host.said.clear();
  std::string waiting;
  for (const std::string_view piece : {stream.substr(0, cut), stream.substr(cut)}) {
    waiting += piece;
    waiting.erase(0, session.receive(waiting));
    while (!host.asked.empty()) {
      const QuestionId id = host.asked.front();
      host.asked.pop_front();
      session.answer(id, {});
      waiting.erase(0, session.receive(waiting));
    }
  }
  return {host.said, host.messages};
}

// Every sequence of up to three of the octets and pairs that end a line somewhere.
std::vector<std::string> line_ends() {
  const std::string parts[] = {"", "\r", "\n", "\r\n", std::string(1, '\0')};
  std::vector<std::string> all;
  for (const std::string& a : parts) {
    for (const std::string& b : parts) all.push_back(a + b);
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// What another server might take for commands. If we do, MAIL is answered with its 250.
constexpr std::string_view kSmuggled = "MAIL FROM:<smuggled@b.test>\r\nRCPT TO:<smuggled@b.test>\r\nDATA\r\nsmuggled";

bool has_bare_line_end(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) return true;
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("only CRLF.CRLF ends a message after DATA, whatever stands around a dot and however the stream is cut") {
  for (const std::string& before : line_ends()) {
    for (const std::string& after : line_ends()) {
      const std::string middle = "x" + before + "." + after;
      // Then it is the end after all, and everybody agrees.
      if (middle.find("\r\n.\r\n") != std::string::npos) continue;
      const std::string text = middle + std::string(kSmuggled) + "\r\n";
      const std::string stream = "DATA\r\n" + text + ".\r\nNOOP\r\n";
      for (const Lines lines : {Lines::kStrict, Lines::kLenient}) {
        const Outcome whole = send(stream, stream.size(), lines);
        CAPTURE(stream);
        // 354, one reply for the one message, and NOOP's.
        CHECK(std::ranges::count(whole.said, '\n') == 3);
        CHECK(whole.said.ends_with("250 2.0.0 OK\r\n"));
        const bool refused = lines == Lines::kStrict && has_bare_line_end(text);
        CHECK(whole.messages.size() == (refused ? 0u : 1u));
        CHECK(whole.said.contains("550 5.6.0") == refused);
        if (!refused) CHECK(whole.messages[0].find("smuggled@b.test>\r\nDATA\r\nsmuggled") != std::string::npos);
        for (std::size_t cut = 0; cut <= middle.size() + 10; ++cut) {
          if (const Outcome cut_there = send(stream, cut, lines); cut_there != whole) {
            CAPTURE(cut);
            CHECK(cut_there.said == whole.said);
            CHECK(cut_there.messages == whole.messages);
          }
        }
      }
    }
  }
}

TEST_CASE("in BDAT nothing but the announced size ends a chunk, and a CR or LF alone is refused as after DATA") {
  for (const std::string& before : line_ends()) {
    for (const std::string& after : line_ends()) {
      const std::string text = "x" + before + "." + after + std::string(kSmuggled) + "\r\n";
      // In one chunk, and in two that meet at the dot.
      const std::size_t middle = 1 + before.size();
      const std::string streams[] = {"BDAT " + std::to_string(text.size()) + " LAST\r\n" + text + "NOOP\r\n",
                                     "BDAT " + std::to_string(middle) + "\r\n" + text.substr(0, middle) + "BDAT " +
                                         std::to_string(text.size() - middle) + " LAST\r\n" + text.substr(middle) +
                                         "NOOP\r\n"};
      for (const std::string& stream : streams) {
        for (const Lines lines : {Lines::kStrict, Lines::kLenient}) {
          const Outcome whole = send(stream, stream.size(), lines);
          CAPTURE(stream);
          const bool refused = lines == Lines::kStrict && has_bare_line_end(text);
          CHECK(whole.messages.size() == (refused ? 0u : 1u));
          CHECK(whole.said.contains("550 5.6.0") == refused);
          CHECK_FALSE(whole.said.contains("2.1.0"));
          CHECK(whole.said.ends_with("250 2.0.0 OK\r\n"));
          if (!refused) CHECK(whole.messages[0].ends_with(text));  // octet for octet
          if (lines == Lines::kLenient) continue;                  // it is cut by the same code
          for (std::size_t cut = 0; cut <= middle + 20; ++cut) CHECK(send(stream, cut, lines) == whole);
        }
      }
    }
  }
}
