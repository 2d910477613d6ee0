// What a hook is asked when it is tried out: the golden requests, which are built in, or those of a file of its author.
//
// A file of cases has one JSON object a line; blank lines and lines that begin with # mean nothing:
//
//   {"request":{"event":"validate_recipient","address":"x@blocked.example"},"reply":{"action":"reject","code":550}}
//   {"request":{"event":"deliver"},"message":"Subject: hi\n\nhello\n","reply":{"action":"accept"}}
//   {"request":{"event":"deliver"},"message":"spam.eml","reply":{"action":"reject"}}
//
// A request may leave out what it does not care about: the rest is that of the first golden request of its event. Of an
// address, `local` and `domain` follow. A `message` with a line feed is one, with CRLF for each LF; without one it is
// the name of a file with it, raw, seen from the file of cases. `name` names the case.

#pragma once

#include <expected>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "proto/hook/event.h"

namespace hooksmtpd::ctl {

// What a message of a case lacks: the trace fields of the daemon in front, or nothing.
enum class MessageForm { kAsSent, kAsDelivered };

struct Case {
  std::string name;  // "cases.jsonl:3", "validate_sender 2"
  hook::Event event{};
  nlohmann::ordered_json request;        // complete; its id and its paths come later
  std::optional<std::string> message{};  // raw
  MessageForm form = MessageForm::kAsSent;
  std::optional<nlohmann::ordered_json> expected{};  // of the reply; nullopt: any that is one
};

// All but those of hello, in the order in which a session has them.
std::vector<Case> golden_cases();

// What they are about, each event once, in the order of a session.
std::vector<hook::Event> events_of(const std::vector<Case>& cases);

// Of a file, or of all *.jsonl in a folder, in the order of their names. An error names file and line.
std::expected<std::vector<Case>, std::string> read_cases(const std::filesystem::path& path);

}  // namespace hooksmtpd::ctl
