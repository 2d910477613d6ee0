// The Subject of a message, for people.

#pragma once

#include <string>

namespace hooksmtpd::ctl {

// `raw` is what stands behind "Subject:", folding and encoded words (RFC 2047) included. UTF-8.
std::string decoded_subject(const std::string& raw);

}  // namespace hooksmtpd::ctl
