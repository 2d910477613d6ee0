// The subject of a message, to show people which one it was.

#pragma once

#include <string>
#include <string_view>

namespace hooksmtpd::maildir {

// The value of the first Subject field in the header section that `message` begins with, unfolded (RFC 5322 §2.2.3),
// without the blanks around it, as raw bytes. Empty: there is none.
std::string subject_of(std::string_view message);

}  // namespace hooksmtpd::maildir
