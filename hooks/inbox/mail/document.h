// The HTML of a message, as the page's frame shows it, and what is to be said about it.

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "hooks/inbox/mail/opened.h"

namespace hooksmtpd::inbox {

// For the header Content-Security-Policy of the frame's document: no script, an origin of its own, and nothing from
// elsewhere unless `remote`.
std::string document_policy(bool remote);

// `parts`: where the parts of the message are, "parts/": images that it names by cid: come from there.
std::string document_of(const Opened& message, const mime::Node& html, std::string_view parts);

// [{"url","text"}], each URL once.
nlohmann::ordered_json links_of(const Opened& message);

// What mail programs will not show as it is meant: [{"what","why"}].
nlohmann::ordered_json notes_on(std::string_view html);

}  // namespace hooksmtpd::inbox
