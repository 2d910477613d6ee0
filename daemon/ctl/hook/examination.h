// A hook under examination: it is started, asked, and watched for what makes trouble behind a daemon.

#pragma once

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/ctl/hook/cases.h"
#include "daemon/ctl/hook/trial.h"

namespace hooksmtpd::ctl {

struct Finding {
  std::string kind;   // "buffered", "stray", "slow-start", "unknown-key", "wrong-id", "broken-reply", "timeout",
                      // "ended", "not-ready", "unexpected", "unasked", "goes-on"
  std::string where;  // the case, or "hello" and so on
  std::string text;
};

struct CaseResult {
  std::string name;
  std::optional<hook::outcome::Answer> answer;  // nullopt: there is a finding instead
  std::chrono::nanoseconds took{};
  std::vector<std::string> log;  // what it wrote to stderr meanwhile
  bool good = false;             // it answered, and as expected
};

struct Examined {
  std::optional<hook::HelloReply> hello;  // nullopt: it never got ready, and nothing was asked
  std::chrono::nanoseconds start{};       // until then
  std::vector<std::string> log;
  std::vector<CaseResult> cases;
  std::size_t at_once = 1;  // so many were asked at once
  std::vector<Finding> findings;
};

struct ExaminationSettings {
  TrialSettings trial;
  std::filesystem::path files;  // an empty folder for what requests name
  std::chrono::milliseconds timeout{std::chrono::seconds(10)};
  std::string options = "{}";  // a JSON object, for hello
  // What hello says that the hook is asked. A reply that says what it handles counts instead, for what the cases have.
  std::vector<hook::Event> events{};
};

// Throws std::system_error if the program cannot be started.
Examined examine(const ExaminationSettings& settings, const std::vector<Case>& cases);

// The same for all cases in turn, whatever the hook says that it handles, and without what no case is about: their
// results stand in the same order, as far as it came.
Examined replay(const ExaminationSettings& settings, const std::vector<Case>& cases);

// The line of a request, with this id instead of its own.
std::string request_line(const nlohmann::ordered_json& request, hook::RequestId id);

// The hello that the daemon would say to a hook with these settings.
std::string hello_line(const ExaminationSettings& settings, hook::RequestId id);

}  // namespace hooksmtpd::ctl
