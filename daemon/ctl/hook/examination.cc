#include "daemon/ctl/hook/examination.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "daemon/ctl/hook/materials.h"
#include "daemon/ctl/hook/verdict_json.h"
#include "proto/hook/request.h"

namespace hooksmtpd::ctl {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;
using hook::Event;

constexpr auto kSlowStart = 2s;
constexpr auto kEndOfInput = 2s;
constexpr int kMaxRestarts = 5;
constexpr std::size_t kMaxAtOnce = 16;

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string_view kind_of_failure(std::string_view reason) {
  if (has(reason, "in time")) return "timeout";
  if (has(reason, "it answered request") || has(reason, "without an \"id\"")) return "wrong-id";
  if (has(reason, "it ended") || has(reason, "killed by") || has(reason, "it closed")) return "ended";
  if (has(reason, "nobody had asked for")) return "unasked";
  return "broken-reply";
}

std::string_view kind_of_notice(std::string_view text) {
  if (text.starts_with("stray line")) return "stray";
  if (text.starts_with("unknown key")) return "unknown-key";
  if (has(text, "it answered request")) return "wrong-id";
  return kind_of_failure(text);
}

// What it can do about a buffer, by the program that seems to have one: of a script, its first line names that.
std::string buffering_cure(const std::vector<std::string>& command) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kCures = {{
      {"python", "print(..., flush=True)"},
      {"perl", "$| = 1; at its beginning"},
      {"jq", "jq --unbuffered"},
      {"sed", "sed -u"},
      {"awk", "mawk -W interactive, or fflush() in another awk"},
      {"ruby", "$stdout.sync = true"},
      {"grep", "grep --line-buffered"},
  }};
  for (const std::string& word : command) {
    std::string names = word.substr(word.rfind('/') + 1);
    std::string first_line;
    if (std::getline(std::ifstream(word), first_line) && first_line.starts_with("#!")) names += first_line;
    for (const auto& [program, cure] : kCures) {
      if (has(names, program)) return std::string(cure);
    }
  }
  return "flush standard output after each line, or line_buffer = true in the configuration";
}

class Examination {
 public:
  Examination(const ExaminationSettings& settings, Examined& result) : settings_(settings), result_(result) {}

  // False: it is of no use.
  bool start() {
    trial_ = std::make_unique<Trial>(settings_.trial);
    const Question hello{.id = 1, .event = Event::kHello, .line = hello_line(settings_, 1)};
    next_id_ = 2;
    const auto begin = Trial::Clock::now();
    auto reply = trial_->hello(hello, settings_.timeout);
    result_.start = Trial::Clock::now() - begin;
    note_all("hello");
    if (!reply) {
      find_out(reply.error());
    } else if (!reply->ready) {
      find("not-ready", "hello", reply->text.empty() ? "it is not ready, and does not say why" : reply->text);
    } else {
      result_.hello = *std::move(reply);
      if (result_.start > kSlowStart) {
        find("slow-start", "hello",
             fmt::format("it took {:.1f} s to answer hello; the daemon does not accept mail before that, and gives up "
                         "after 10 s",
                         std::chrono::duration<double>(result_.start).count()));
      }
      result_.log = trial_->take_log();
      return true;
    }
    result_.log = trial_->take_log();
    return false;
  }

  // Starts it anew if the case before broke it. False: that happens too often.
  bool ask(const Case& one) {
    while (trial_->broken()) {
      if (restarts_++ == kMaxRestarts || !start()) return false;
    }
    const Json request = place_files(one, settings_.files, form());
    const Question question{.id = next_id_, .event = one.event, .line = request_line(request, next_id_)};
    ++next_id_;
    const std::vector<Said> said = trial_->ask(std::span(&question, 1), settings_.timeout);
    CaseResult& result = result_.cases.emplace_back(CaseResult{.name = one.name, .answer = {}, .took = {}, .log = {}});
    note_all(one.name);
    judge(one, said, result);
    result.log = trial_->take_log();
    return true;
  }

  // A hook that says it takes several requests at once gets them.
  void ask_at_once(const Case& one) {
    result_.at_once = std::min<std::size_t>(trial_->room(), kMaxAtOnce);
    std::vector<Question> questions;
    const Json request = place_files(one, settings_.files, form());
    for (std::size_t i = 0; i < result_.at_once; ++i, ++next_id_) {
      questions.push_back({.id = next_id_, .event = one.event, .line = request_line(request, next_id_)});
    }
    const std::string where = fmt::format("{} at once", questions.size());
    for (const Said& said : trial_->ask(questions, settings_.timeout)) {
      if (!said.answer) find(kind_of_failure(said.failure), where, said.failure);
    }
    note_all(where);
  }

  bool broken() const { return trial_->broken(); }

  void end() {
    const bool ended = trial_->end(kEndOfInput);
    note_all("the end of its input");
    if (!ended) {
      find("goes-on", "the end of its input",
           fmt::format("it does not end when its input ends, and had to be killed after {} s", kEndOfInput.count()));
    }
  }

 private:
  BodyForm form() const { return result_.hello->inline_body ? BodyForm::kInline : BodyForm::kPath; }

  void judge(const Case& one, const std::vector<Said>& said, CaseResult& result) {
    if (said.empty()) return find("ended", one.name, "it was gone before it could be asked");
    result.took = said.front().took;
    result.answer = said.front().answer;
    if (!result.answer) return find(kind_of_failure(said.front().failure), one.name, said.front().failure);
    const auto wrong = one.expected ? difference(*one.expected, to_json(*result.answer)) : std::nullopt;
    if (wrong) find("unexpected", one.name, *wrong);
    result.good = !wrong;
  }

  // No answer to hello. Where one comes once the input has ended, it had been waiting in a buffer.
  void find_out(const std::string& reason) {
    if (kind_of_failure(reason) == "timeout" && trial_->was_buffered(kEndOfInput)) {
      return find("buffered", "hello",
                  fmt::format("its reply came only when its input ended, so its output is buffered: {}",
                              buffering_cure(settings_.trial.command)));
    }
    find(kind_of_failure(reason), "hello", reason);
  }

  void find(std::string_view kind, const std::string& where, const std::string& text) {
    result_.findings.push_back({.kind = std::string(kind), .where = where, .text = text});
  }

  void note_all(const std::string& where) {
    for (const std::string& notice : trial_->take_notices()) find(kind_of_notice(notice), where, notice);
  }

  const ExaminationSettings& settings_;
  Examined& result_;
  std::unique_ptr<Trial> trial_;
  hook::RequestId next_id_ = 1;
  int restarts_ = 0;
};

// Whether the daemon could ask this hook that.
bool concerns(const ExaminationSettings& settings, const hook::HelloReply& hello, Event event) {
  if (event == Event::kCancel && (hello.concurrency == 1 || !hello.wants_cancel)) return false;
  if (event == Event::kReset && !hello.wants_reset) return false;
  const std::vector<Event>& asked = hello.events ? *hello.events : settings.events;
  return std::ranges::find(asked, event) != asked.end();
}

}  // namespace

std::string request_line(const Json& request, hook::RequestId id) {
  Json numbered = request;
  numbered["id"] = id;
  return numbered.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

std::string hello_line(const ExaminationSettings& settings, hook::RequestId id) {
  std::vector<hook::EventTimeout> events;
  for (const Event event : settings.events) events.push_back({.event = event, .timeout = settings.timeout});
  std::string line;
  const hook::Hello hello{.daemon = "hooksmtpd " HOOKSMTPD_VERSION,
                          .hook = settings.trial.name,
                          .instance = 1,
                          .isolation = "none",
                          .events = events,
                          .options = settings.options};
  if (!append_request(line, id, hello)) throw std::runtime_error("the options are too long for a request");
  return line;
}

Examined examine(const ExaminationSettings& settings, const std::vector<Case>& cases) {
  Examined result;
  Examination examination(settings, result);
  if (!examination.start()) return result;
  const Case* at_once = nullptr;
  for (const Case& one : cases) {
    // The author of a case means it, whatever the hook says.
    if (!one.expected && !concerns(settings, *result.hello, one.event)) continue;
    if (!examination.ask(one)) return result;
    if (at_once == nullptr && hook::verdict_counts(one.event)) at_once = &one;
  }
  if (examination.broken()) return result;
  if (result.hello->concurrency > 1 && at_once != nullptr) examination.ask_at_once(*at_once);
  examination.end();
  return result;
}

Examined replay(const ExaminationSettings& settings, const std::vector<Case>& cases) {
  Examined result;
  Examination examination(settings, result);
  if (!examination.start()) return result;
  for (const Case& one : cases) {
    if (!examination.ask(one)) break;
  }
  return result;
}

}  // namespace hooksmtpd::ctl
