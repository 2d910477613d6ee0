// Another hook of the same daemon, asked over the unix socket that it listens on. It has what the inbox has not: the
// relay hook a network, the faults hook a say in SMTP.
//
// The inbox writes one line of JSON, and octets behind it if the line says so; the answer is one line of JSON.

#pragma once

#include <event2/event.h>

#include <chrono>
#include <expected>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace hooksmtpd::inbox {

// An object; or a sentence that says why there is none.
using Answered = std::function<void(std::expected<nlohmann::json, std::string>)>;

// Nothing waits: `answered` is called once, here if nobody listens there, else in the loop of `base`, at the latest when
// `limit` has passed without an octet. `socket` has to fit in an address.
void ask_neighbour(event_base* base, const std::filesystem::path& socket, std::string_view question,
                   std::chrono::seconds limit, Answered answered);

}  // namespace hooksmtpd::inbox
