#include "hooks/inbox/hook/course.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace hooksmtpd::inbox {
namespace {

using Json = nlohmann::json;

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

// What stands between the angle brackets of MAIL or RCPT.
std::string path_of(std::string_view line) {
  const std::size_t begin = line.find('<'), end = line.rfind('>');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return {};
  return std::string(line.substr(begin + 1, end - begin - 1));
}

// Walks through the entries. A refusal is what the server says to a step towards a message: a client that tries
// commands at random is not what people look for.
class Course {
 public:
  explicit Course(Session& session) : session_(session) {}

  void look_at(const Json& entry) {
    const std::string from = entry.value("from", "");
    if (from == "client") return client(entry);
    if (from == "hook") return hook(entry);
    if (from == "server" && entry.contains("line")) return server(entry.at("line").get<std::string>());
  }

  bool in_transaction() const { return in_transaction_; }

 private:
  void client(const Json& entry) {
    hook_.clear();
    if (!entry.contains("line")) {
      step_.assign(1, '.');  // GCC 12 warns of an overlap where a literal is assigned
      return;
    }
    const std::string line = entry.at("line");
    step_ = upper_case(line.substr(0, line.find(' ')));
    if (step_ == "MAIL") {
      session_.from = path_of(line);
      session_.to.clear();
    } else if (step_ == "RCPT" && session_.to.size() < 100) {
      session_.to.push_back(path_of(line));
    }
  }

  void hook(const Json& entry) {
    const std::string action = entry.value("action", "");
    if (action != "accept" && action != "discard") hook_ = entry.value("hook", "");
  }

  void server(const std::string& line) {
    constexpr std::array<std::string_view, 8> kSteps{"", "MAIL", "RCPT", "DATA", "BDAT", ".", "AUTH", "STARTTLS"};
    const bool refusal = !line.empty() && (line[0] == '4' || line[0] == '5');
    if (!refusal) {
      if (step_ == "MAIL") in_transaction_ = true;
      if (step_ == "." || step_ == "RSET") in_transaction_ = in_transaction_ && line.starts_with("354");
      return;
    }
    if (step_ == ".") in_transaction_ = false;
    if (std::ranges::find(kSteps, step_) == kSteps.end() && hook_.empty() && !line.starts_with("421")) return;
    session_.reason = line.size() > 3 && line[3] == '-' ? line.substr(0, 3) + " " + line.substr(4) : line;
    session_.hook = hook_;
  }

  Session& session_;
  std::string step_;  // the client's last, "." for a message's end
  std::string hook_;  // that did not accept it
  bool in_transaction_ = false;
};

}  // namespace

void read_course(const Json& dialogue, std::string_view reason, std::uint64_t accepted, Session& session) {
  Course course(session);
  for (const Json& entry : dialogue) course.look_at(entry);
  if (!session.reason.empty()) {
    session.outcome = Outcome::kRefused;
  } else if (accepted > 0) {
    session.outcome = Outcome::kDelivered;
  } else {
    session.outcome = course.in_transaction() || reason != "quit" ? Outcome::kBrokenOff : Outcome::kNoMail;
  }
}

}  // namespace hooksmtpd::inbox
