// A message as smtpd hands it over: a list of its lines, with neither CRLF nor LF at their ends, and a character for
// each octet.

#pragma once

#include <expected>
#include <string>
#include <string_view>

struct Tcl_Obj;

namespace hooksmtpd::tcl {

// A new list; whoever gets it counts its references.
Tcl_Obj* lines_of(std::string_view message);

// A file, whole. errno, if it cannot be read.
std::expected<std::string, int> read_file(const std::string& path);

}  // namespace hooksmtpd::tcl
