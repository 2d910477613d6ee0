// The host of a session that is being fuzzed: whatever the client sends, what is said to it must be well-formed lines.

#pragma once

#include <cstddef>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>
#include <variant>

#include "proto/smtp/heard_line.h"
#include "proto/smtp/host.h"
#include "proto/smtp/limits.h"

namespace hooksmtpd::smtp {

inline void require(bool condition) {
  if (!condition) std::abort();
}

class FuzzHost : public Host {
 public:
  void reply(std::string_view wire) override {
    require(wire.size() >= 6 && wire.ends_with("\r\n"));
    while (!wire.empty()) {
      const std::string_view line = wire.substr(0, wire.find("\r\n") + 2);
      // RFC 4954 §4: a challenge may be longer.
      require(line.size() <= (line.starts_with("334 ") ? kMaxAuthLine : kMaxReplyLine));
      for (const char c : line.substr(0, line.size() - 2)) require(c >= ' ' && c <= '~');
      for (const char c : line.substr(0, 3)) require(c >= '0' && c <= '9');
      require(line[3] == ' ' || line[3] == '-');
      wire.remove_prefix(line.size());
    }
  }
  void ask(QuestionId id, const Question& question) override {
    asked.push_back(id);
    // RFC 4954: what may hold a password is for nobody but its judge.
    const auto* command = std::get_if<question::Command>(&question);
    require(!command || !begins_login(command->line));
  }
  void body(std::string_view) override {}
  void transaction_over(const Transaction&, std::string_view, TransactionEnd) override {}
  void body_doomed() override {}
  bool full() override { return false; }
  Now now() override { return {}; }
  bool tls_available() override { return tls_is_available; }
  void start_tls() override {}
  std::string nonce() override { return "fyko+d2lbbFgONRv9qkxdawL"; }
  bool listening() const override { return true; }
  void heard(std::string_view line) override {
    require(line.find('\n') == line.npos && line.size() <= kMaxAuthLine);
    require(!begins_login(line) || line == "AUTH ***" || without_credentials(line) == line);
  }

  std::deque<QuestionId> asked;
  bool tls_is_available = true;
};

}  // namespace hooksmtpd::smtp
