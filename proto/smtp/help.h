// HELP (RFC 5321 §4.1.1.8).

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hooksmtpd::smtp {

// The lines about a topic, known in any case; empty topic: the list of topics. nullopt: no such topic.
std::optional<std::span<const std::string>> help(std::string_view topic);

}  // namespace hooksmtpd::smtp
