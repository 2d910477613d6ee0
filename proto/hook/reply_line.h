// What replies and the reply to hello have in common: how one line is told to be JSON, words or nothing of that kind.

#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "proto/hook/reply.h"
#include "proto/hook/reply_fields.h"

namespace hooksmtpd::hook::reply_line {

// Without blanks at the end, and the CR of a hook that writes for another system.
std::string_view trim(std::string_view line);

bool begins_like_json(std::string_view line);

// The members of a line that begins like an object.
std::expected<ReplyFields, ReplyError> parse_object(std::string_view line, Speaker speaker);

// A line that is no reply: what its author may have meant.
std::unexpected<ReplyError> stray(std::string_view line, std::string_view hint = {});

// A line that is meant as a reply, and what is wrong with it.
std::unexpected<ReplyError> broken(std::optional<RequestId> id, std::string text);

}  // namespace hooksmtpd::hook::reply_line
