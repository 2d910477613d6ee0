// Messages as the inbox's API tells of them, for people. What a mail says is escaped: it could move the cursor.

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace hooksmtpd::ctl::inbox {

// The summaries in an answer; none of an answer that has no such list.
std::vector<nlohmann::json> messages_of(const nlohmann::json& answer);

enum class Heading { kOff, kOn };

// A line for each: the beginning of its id, when it came (UTC), from whom, to whom, subject; long ones are cut.
std::string summaries_text(const std::vector<nlohmann::json>& summaries, Heading heading);

// Its header fields as far as people look at them, its attachments, and its plain text.
std::string message_text(const nlohmann::json& message);

// "Name: value", decoded, a line each.
std::string headers_text(const nlohmann::json& message);

// The tree of its parts: "  1.2  image/png  1834  logo.png".
std::string parts_text(const nlohmann::json& message);

// The session in which it came, a line for each entry, with milliseconds from its beginning.
std::string dialogue_text(const nlohmann::json& answer);

}  // namespace hooksmtpd::ctl::inbox
