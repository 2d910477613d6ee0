// What is to be said about the HTML of a message.

#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "hooks/inbox/mail/opened.h"

namespace hooksmtpd::inbox {

// [{"url","text"}], each URL once.
nlohmann::ordered_json links_of(const Opened& message);

// What mail programs will not show as it is meant: [{"what","why"}].
nlohmann::ordered_json notes_on(std::string_view html);
// How many things they look at.
std::size_t known_notes();

std::size_t elements_in(std::string_view html);

}  // namespace hooksmtpd::inbox
