// A message as smtpd hands it over.

#pragma once

struct Tcl_Interp;

namespace hooksmtpd::tcl {

// Adds the command `::hooksmtpd::lines_of PATH`: the list of the lines of a file, with neither CRLF nor LF at their
// ends, and a character for each octet.
void add_lines_of(Tcl_Interp* interpreter);

}  // namespace hooksmtpd::tcl
