// Columns of text, each as wide as its widest cell.

#pragma once

#include <string>
#include <vector>

namespace hooksmtpd::ctl {

using Row = std::vector<std::string>;

// Two spaces between columns, none at the end of a line.
std::string table(const std::vector<Row>& rows);

}  // namespace hooksmtpd::ctl
