// Text of somebody whom nobody needs to trust, fit for a terminal.

#pragma once

#include <string>
#include <string_view>

namespace hooksmtpd::ctl {

// Every control character as an escape (\n, \x1b, \u009b), and so is what moves text about without being seen: the line
// ends of Unicode, marks of writing direction, characters of no width. Octets that are not UTF-8 come as \xNN. Other
// characters stay as they are.
std::string shown(std::string_view text);

// The same of several lines: tabs and line feeds stay, CRLF becomes a line feed.
std::string shown_lines(std::string_view text);

// Whether to colour what goes to `descriptor`: it is a terminal that is not "dumb", and NO_COLOR is not set.
bool colours_on(int descriptor);

}  // namespace hooksmtpd::ctl
