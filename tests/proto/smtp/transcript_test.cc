// Plays tests/transcripts against Session in memory: all bytes at once, one by one, and cut at every position, with
// verdicts that come at once and with verdicts that come as late as they can.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <deque>
#include <nlohmann/json.hpp>

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
  void transaction_over(const smtp::Transaction&, std::string_view) override { message.clear(); }
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
            {"params", json(std::map<std::string, std::string>(sender.params.begin(), sender.params.end()))}};
  }
  json shown(const smtp::question::Recipient& recipient) {
    return {{"event", "validate_recipient"}, {"address", to_string(recipient.mailbox)}, {"helo", session->helo()}};
  }
  json shown(const smtp::question::Message&) {
    json to = json::array();
    for (const auto& recipient : session->transaction()->envelope.recipients)
      to.push_back(to_string(recipient.mailbox));
    return {{"event", "deliver"}, {"from", to_string(session->transaction()->envelope.reverse_path)}, {"to", to}};
  }
};

mail::Verdict verdict_of(const std::string& text) {
  const json reply = json::parse(text);
  const std::map<std::string, mail::Action> actions{{"accept", mail::Action::kAccept},
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
  return verdict;
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
    } else if (key == "hooks") {
      settings.judged = {.host = value.contains("validate_host"),
                         .sender = value.contains("validate_sender"),
                         .recipient = value.contains("validate_recipient"),
                         .message = value.contains("deliver")};
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
  smtp::Session session(host, settings, {.address = "127.0.0.1", .port = 4711}, "s1");
  host.session = &session;
  Played played;
  std::string waiting;  // bytes that receive() left
  const auto answer_next = [&] {
    const Asked asked = host.asked.front();
    host.asked.pop_front();
    const std::size_t n = played.asked.size();
    played.asked.push_back(asked);
    session.answer(asked.id,
                   n < transcript.questions.size() ? verdict_of(transcript.questions[n].answer) : mail::Verdict{});
    waiting.erase(0, session.receive(waiting));
  };
  session.begin();
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t end = i < cuts.size() ? cuts[i] : transcript.client.size();
    while (answers == Answers::kAtOnce && !host.asked.empty()) answer_next();
    waiting.append(transcript.client, begin, end - begin);
    waiting.erase(0, session.receive(waiting));
    if (!session.waiting()) CHECK(waiting.size() <= smtp::kMaxCommandLine);
    begin = end;
  }
  while (!host.asked.empty()) answer_next();
  played.said = host.said;
  return played;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find("\r\n");
    REQUIRE(end != std::string_view::npos);
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 2);
  }
  return lines;
}

// What differs from the transcript, in words; empty: nothing.
std::string difference(const std::vector<tests::Pattern>& expected, std::string_view text) {
  const auto lines = lines_of(text);
  for (std::size_t i = 0; i < std::max(lines.size(), expected.size()); ++i) {
    if (i >= lines.size()) return "missing: " + expected[i].text;
    if (i >= expected.size()) return "too much: " + lines[i];
    if (!expected[i].matches(lines[i])) return "expected " + expected[i].text + "\n     got " + lines[i];
  }
  return "";
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
      // A long dialogue is cut at a thousand places instead of all: the whole run stays short.
      for (std::size_t cut = 0; cut <= size; cut += 1 + size / 1000) {
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
