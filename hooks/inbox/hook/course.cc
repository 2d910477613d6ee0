#include "hooks/inbox/hook/course.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

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

// What of an entry says how the session went. Empty: it has no such key.
struct Entry {
  std::string from, line, hook, action;
  bool has_line = false;
};

// Walks through the entries. A refusal is what the server says to a step towards a message: a client that tries
// commands at random is not what people look for.
class Course {
 public:
  explicit Course(Session& session) : session_(session) {}

  void look_at(const Entry& entry) {
    if (entry.from == "client") return client(entry);
    if (entry.from == "hook") return hook(entry);
    if (entry.from == "server" && entry.has_line) return server(entry.line);
  }

  bool in_transaction() const { return in_transaction_; }

 private:
  void client(const Entry& entry) {
    hook_.clear();
    if (!entry.has_line) {
      step_.assign(1, '.');  // GCC 12 warns of an overlap where a literal is assigned
      return;
    }
    const std::string_view line = entry.line;
    step_ = upper_case(line.substr(0, line.find(' ')));
    if (step_ == "MAIL") {
      session_.from = path_of(line);
      session_.to.clear();
    } else if (step_ == "RCPT" && session_.to.size() < 100) {
      session_.to.push_back(path_of(line));
    }
  }

  void hook(const Entry& entry) {
    if (entry.action != "accept" && entry.action != "discard") hook_ = entry.hook;
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

// Takes the entries out of the dialogue, which may have many thousands, one after the other. What is within an entry is
// none.
class Entries : public nlohmann::json_sax<Json> {
 public:
  explicit Entries(Course& course) : course_(course) {}

  bool start_object(std::size_t) override {
    if (++depth_ == 1) entry_ = {};
    return true;
  }
  bool end_object() override {
    if (--depth_ == 0) course_.look_at(entry_);
    return true;
  }
  bool key(std::string& name) override {
    if (depth_ != 1) return true;
    entry_.has_line = entry_.has_line || name == "line";
    value_ = name == "from"     ? &entry_.from
             : name == "line"   ? &entry_.line
             : name == "hook"   ? &entry_.hook
             : name == "action" ? &entry_.action
                                : nullptr;
    return true;
  }
  bool string(std::string& text) override {
    if (depth_ == 1 && value_) *std::exchange(value_, nullptr) = std::move(text);
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(std::int64_t) override { return true; }
  bool number_unsigned(std::uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool binary(Json::binary_t&) override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override { return false; }

 private:
  Course& course_;
  Entry entry_;
  std::string* value_ = nullptr;
  int depth_ = 0;  // of objects
};

}  // namespace

void read_course(std::string_view dialogue, std::string_view reason, std::uint64_t accepted, Session& session) {
  Course course(session);
  Entries entries(course);
  Json::sax_parse(dialogue, &entries);
  if (!session.reason.empty()) {
    session.outcome = Outcome::kRefused;
  } else if (accepted > 0) {
    session.outcome = Outcome::kDelivered;
  } else {
    session.outcome = course.in_transaction() || reason != "quit" ? Outcome::kBrokenOff : Outcome::kNoMail;
  }
}

}  // namespace hooksmtpd::inbox
