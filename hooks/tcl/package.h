// The text of smtpd.tcl.

#pragma once

#include <string_view>

namespace hooksmtpd::tcl {

extern const std::string_view kPackage;

}  // namespace hooksmtpd::tcl
