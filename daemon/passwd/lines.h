// A password file as text, with one user's line put in, replaced or taken out. All other lines stay as they are,
// comments and mistakes among them: a mistake is mended by making its entry anew.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hooksmtpd::passwd {

// The line of the user, without its end; if there are several, the first.
std::optional<std::string_view> line_of(std::string_view text, std::string_view user);

// The text with this line in the place of the user's, or at the end. Further lines of the same user go.
std::string with_line(std::string_view text, std::string_view user, std::string_view line);

std::string without_line(std::string_view text, std::string_view user);

}  // namespace hooksmtpd::passwd
