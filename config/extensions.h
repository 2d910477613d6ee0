// EHLO keywords that a listener hides, and lines that it adds (RFC 5321 §4.1.1.1).

#pragma once

#include <array>
#include <string>
#include <string_view>

#include "config/spelling.h"

namespace hooksmtpd::config {

// All that this server can offer.
inline constexpr std::array<std::string_view, 17> kExtensions{
    "PIPELINING",  "SIZE",     "8BITMIME", "ENHANCEDSTATUSCODES", "STARTTLS", "AUTH",      "CHUNKING",
    "BINARYMIME",  "SMTPUTF8", "DSN",      "REQUIRETLS",          "LIMITS",   "DELIVERBY", "FUTURERELEASE",
    "MT-PRIORITY", "XCLIENT",  "HELP"};

// "size" -> "SIZE"
Parsed<std::string> parse_hidden_extension(std::string_view text);

// "X-EXPERIMENT 1": a keyword and what stands behind it. The keyword is one of `kExtensions`, where somebody wants a
// line of his own in place of one that he hides, or any other.
Parsed<std::string> parse_added_extension(std::string_view text);

// The first word in upper case: "SIZE" of "size 5".
std::string keyword_of(std::string_view line);

}  // namespace hooksmtpd::config
