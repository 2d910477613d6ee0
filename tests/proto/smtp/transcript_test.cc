// Plays tests/transcripts against Session in memory: all bytes at once, one by one, and cut at every position, with
// verdicts that come at once and with verdicts that come as late as they can.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <deque>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "proto/sasl/password_file.h"
#include "proto/smtp/limits.h"
#include "proto/smtp/session.h"
#include "tests/proto/smtp/transcript.h"

using namespace hooksmtpd;
using nlohmann::json;

namespace {

struct Asked {
  smtp::QuestionId id;
  json question;
  std::string message;
};

// Keeps what a Session says and asks.
class Recorder final : public smtp::Host {
 public:
  void reply(std::string_view wire) override { said += wire; }
  void body(std::string_view run) override { message += run; }
  void transaction_over(const smtp::Transaction&, std::string_view, smtp::TransactionEnd) override { message.clear(); }
  void body_doomed() override { message.clear(); }
  bool full() override { return false; }
  smtp::Now now() override { return {}; }
  bool tls_available() override { return true; }
  void start_tls() override {}
  std::string nonce() override { return "fyko+d2lbbFgONRv9qkxdawL"; }
  void ask(smtp::QuestionId id, const smtp::Question& question) override {
    asked.push_back({id, std::visit([&](const auto& q) { return shown(q); }, question), message});
  }

  const smtp::Session* session = nullptr;
  std::string said, message;
  std::deque<Asked> asked;

 private:
  json shown(const smtp::question::Host&) { return {{"event", "validate_host"}, {"address", session->peer().address}}; }
  json shown(const smtp::question::Starttls&) {
    return {{"event", "starttls"}, {"helo", session->helo()}, {"tls", {{"version", session->tls()->version}}}};
  }
  json shown(const smtp::question::Helo& hello) {
    return {{"event", "helo"}, {"verb", hello.verb}, {"name", hello.name}, {"helo", session->helo()}};
  }
  json shown(const smtp::question::Command& command) { return {{"event", "command"}, {"line", command.line}}; }
  json shown(const mail::Parameters& params) {
    json object = json::object();
    for (const auto& [keyword, value] : params) object[keyword] = value.empty() ? json(true) : json(value);
    return object;
  }
  json shown(const smtp::question::Auth& auth) {
    return {{"event", "auth"},
            {"mechanism", std::string(to_string(auth.credentials.mechanism))},
            {"authorization_id", auth.credentials.authorization_id},
            {"password", auth.credentials.password},
            {"token", auth.credentials.token},
            {"user", auth.credentials.user}};
  }
  json shown(const smtp::question::Sender& sender) {
    return {{"event", "validate_sender"},
            {"address", to_string(sender.reverse_path)},
            {"helo", session->helo()},
            {"params", shown(sender.params)}};
  }
  json shown(const smtp::question::Recipient& recipient) {
    return {{"event", "validate_recipient"},
            {"from", to_string(session->transaction()->envelope.reverse_path)},
            {"address", to_string(recipient.mailbox)},
            {"helo", session->helo()}};
  }
  json shown(const smtp::question::Data&) { return shown_transaction("data"); }
  json shown(const smtp::question::Message&) { return shown_transaction("deliver"); }
  json shown_transaction(const char* event) {
    json to = json::array();
    for (const auto& recipient : session->transaction()->envelope.recipients)
      to.push_back(to_string(recipient.mailbox));
    return {{"event", event},
            {"from", to_string(session->transaction()->envelope.reverse_path)},
            {"to", to},
            {"protocol", std::string(session->protocol())}};
  }
};

mail::Verdict verdict_of(const json& reply) {
  static const std::map<std::string, mail::Action> actions{{"accept", mail::Action::kAccept},
                                                           {"reject", mail::Action::kReject},
                                                           {"defer", mail::Action::kDefer},
                                                           {"discard", mail::Action::kDiscard},
                                                           {"close", mail::Action::kClose}};
  mail::Verdict verdict{.action = actions.at(reply.at("action")),
                        .code = reply.value("code", 0),
                        .enhanced = reply.value("enhanced", ""),
                        .text = {}};
  if (reply.contains("text")) {
    if (reply["text"].is_array()) {
      verdict.text = reply["text"];
    } else {
      verdict.text = {reply["text"]};
    }
  }
  if (reply.contains("rewrite")) {
    const std::string address = reply["rewrite"];
    verdict.rewrite = mail::ReversePath();
    if (!address.empty()) *verdict.rewrite = mail::parse_mailbox(address).value();
  }
  for (const json& header : reply.value("add_headers", json::array())) {
    verdict.add_headers.push_back({.name = header.at(0), .value = header.at(1)});
  }
  verdict.abrupt = reply.value("abrupt", false);
  for (const json& one : reply.value("recipients", json::array())) verdict.recipients.push_back(verdict_of(one));
  return verdict;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

// One user, ann, whose password is "secret".
const sasl::PasswordFile& users() {
  static const sasl::PasswordFile file =
      sasl::PasswordFile::parse(
          "ann:{SCRAM-SHA-256}4096,AAECAwQFBgcICQoLDA0ODw==$"
          "THoPhoTAuqyoQsK4dUHncUzgfD8fdmhsgKZhWVqNP5U=$7YiHMMi2OcXGRogub03Ek06JRZ9bkhTOdCzHa5iPLiQ=\n")
          .value();
  return file;
}

smtp::Settings::Auth::Source source_of(const std::string& text) {
  using enum smtp::Settings::Auth::Source;
  return text == "passwords" ? kPasswords : text == "hook" ? kHook : kAcceptAny;
}

void set_auth(smtp::Settings& settings, const std::string& source) {
  settings.auth.source = source_of(source);
  settings.auth.users = &users();
  settings.auth.mechanisms = sasl::offered(source == "passwords" ? sasl::Source::kPasswords
                                           : source == "hook"    ? sasl::Source::kHook
                                                                 : sasl::Source::kAcceptAny,
                                           &users());
}

smtp::Settings settings_of(const tests::Transcript& transcript) {
  smtp::Settings settings{.hostname = "mail.test", .banner = "hooksmtpd"};
  for (const auto& [key, value] : transcript.settings) {
    if (key == "recipients") {
      settings.recipients = std::stoul(value);
    } else if (key == "message_size") {
      settings.message_size = std::stoul(value);
    } else if (key == "errors") {
      settings.errors = std::stoul(value);
    } else if (key == "commands") {
      settings.commands = std::stoul(value);
    } else if (key == "strict_lines") {
      settings.strict_lines = value == "true";
    } else if (key == "lenient") {
      settings.lenient = value == "true";
    } else if (key == "tls") {
      settings.tls = value == "required"   ? smtp::Settings::Tls::kRequired
                     : value == "starttls" ? smtp::Settings::Tls::kOffered
                                           : smtp::Settings::Tls::kNone;
    } else if (key == "auth") {
      set_auth(settings, value);
    } else if (key == "auth_required") {
      settings.auth.required = value == "true";
    } else if (key == "auth_before_tls") {
      settings.auth.before_tls = value == "true";
    } else if (key == "protocol") {
      if (value == "lmtp") settings.protocol = smtp::Settings::Protocol::kLmtp;
    } else if (key == "hide") {
      settings.hidden = words_of(value);
    } else if (key == "add") {
      settings.added = {value};
    } else if (key == "xclient") {
      // Peer's, below.
    } else if (key == "hooks") {
      const auto events = words_of(value);
      const auto has = [&](const char* event) { return std::ranges::find(events, event) != events.end(); };
      settings.judged = {.host = has("validate_host"),
                         .starttls = has("starttls"),
                         .helo = has("helo"),
                         .sender = has("validate_sender"),
                         .recipient = has("validate_recipient"),
                         .data = has("data"),
                         .message = has("deliver"),
                         .command = has("command")};
    } else {
      throw std::runtime_error("unknown setting " + key);
    }
  }
  return settings;
}

enum class Answers { kAtOnce, kLate };

struct Played {
  std::string said;
  std::vector<Asked> asked;
};

Played play(const tests::Transcript& transcript, const std::vector<std::size_t>& cuts, Answers answers) {
  const smtp::Settings settings = settings_of(transcript);
  Recorder host;
  const bool may_xclient = transcript.settings.contains("xclient");
  smtp::Session session(host, settings, {.address = "127.0.0.1", .port = 4711, .may_xclient = may_xclient}, "s1");
  host.session = &session;
  Played played;
  std::string waiting;  // bytes that receive() left
  const auto answer_next = [&] {
    const Asked asked = host.asked.front();
    host.asked.pop_front();
    const std::size_t n = played.asked.size();
    played.asked.push_back(asked);
    session.answer(asked.id, n < transcript.questions.size() ? verdict_of(json::parse(transcript.questions[n].answer))
                                                             : mail::Verdict{});
    waiting.erase(0, session.receive(waiting));
  };
  const smtp::TlsFacts facts{.version = "TLSv1.3", .cipher = "TLS_AES_256_GCM_SHA384", .bits = 256};
  const auto setting = transcript.settings.find("tls");
  if (setting != transcript.settings.end() && setting->second == "implicit") session.secured(facts);
  session.begin();
  auto handshakes = transcript.handshakes;
  std::size_t begin = 0;
  const auto feed_until = [&](std::size_t end) {
    while (answers == Answers::kAtOnce && !host.asked.empty()) answer_next();
    waiting.append(transcript.client, begin, end - begin);
    waiting.erase(0, session.receive(waiting));
    if (!session.waiting()) CHECK(waiting.size() <= smtp::kMaxAuthLine);
    begin = end;
  };
  const auto feed = [&](std::size_t end) {
    while (!handshakes.empty() && handshakes.front() <= end) {
      feed_until(handshakes.front());
      while (!host.asked.empty()) answer_next();
      handshakes.erase(handshakes.begin());
      REQUIRE(session.starting_tls());
      session.secured(facts);
    }
    feed_until(end);
  };
  for (const std::size_t cut : cuts) feed(cut);
  feed(transcript.client.size());
  while (!host.asked.empty()) answer_next();
  played.said = host.said;
  return played;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\r\n"), text.size());  // the last of a BDAT may have no end
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return lines;
}

// What differs from the transcript, in words; empty: nothing.
std::string difference(const std::vector<tests::Pattern>& expected, std::string_view text) {
  const auto lines = lines_of(text);
  std::size_t line = 0;
  for (const tests::Pattern& pattern : expected) {
    while (pattern.rest && line < lines.size() && lines[line].starts_with(pattern.text + "-")) ++line;
    if (line >= lines.size()) return "missing: " + pattern.text;
    const bool matches = pattern.rest ? lines[line].starts_with(pattern.text + " ") : pattern.matches(lines[line]);
    if (!matches) return "expected " + pattern.text + "\n     got " + lines[line];
    ++line;
  }
  return line < lines.size() ? "too much: " + lines[line] : "";
}

std::string difference(const tests::Transcript& transcript, const Played& played) {
  if (auto found = difference(transcript.server, played.said); !found.empty()) return found;
  for (std::size_t i = 0; i < std::max(played.asked.size(), transcript.questions.size()); ++i) {
    if (i >= played.asked.size()) return "not asked: " + transcript.questions[i].expected;
    if (i >= transcript.questions.size()) return "asked too much: " + played.asked[i].question.dump();
    const json expected = json::parse(transcript.questions[i].expected);
    for (const auto& [key, value] : expected.items()) {
      if (played.asked[i].question.value(key, json()) != value) {
        return "expected " + expected.dump() + "\n   asked " + played.asked[i].question.dump();
      }
    }
    if (transcript.questions[i].message.empty()) continue;
    if (auto found = difference(transcript.questions[i].message, played.asked[i].message); !found.empty()) return found;
  }
  return "";
}

std::vector<std::filesystem::path> transcripts() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(TRANSCRIPTS)) {
    if (entry.path().extension() == ".transcript") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  REQUIRE(files.size() > 10);
  return files;
}

}  // namespace

TEST_CASE("each transcript plays in memory as it is written, however the stream is cut and whenever verdicts come") {
  for (const auto& file : transcripts()) {
    CAPTURE(file.filename().string());
    const tests::Transcript transcript = tests::read_transcript(file);
    const std::size_t size = transcript.client.size();
    std::vector<std::size_t> everywhere;
    for (std::size_t cut = 1; cut < size; ++cut) everywhere.push_back(cut);
    for (const Answers answers : {Answers::kAtOnce, Answers::kLate}) {
      CAPTURE(static_cast<int>(answers));
      const std::string whole = difference(transcript, play(transcript, {}, answers));
      CHECK_MESSAGE(whole.empty(), whole);
      if (!whole.empty()) continue;
      const std::string bytewise = difference(transcript, play(transcript, everywhere, answers));
      CHECK_MESSAGE(bytewise.empty(), bytewise);
      // A long dialogue is cut at a thousand places instead of all, a very long one or one that counts keys at fewer:
      // the run stays short.
      const bool is_slow = size > 4000 || transcript.settings.contains("auth");
      for (std::size_t cut = 0; cut <= size; cut += 1 + size / (is_slow ? 50 : 1000)) {
        const std::string found = difference(transcript, play(transcript, {cut}, answers));
        if (!found.empty()) {
          CAPTURE(cut);
          CHECK_MESSAGE(found.empty(), found);
          break;
        }
      }
    }
  }
}
