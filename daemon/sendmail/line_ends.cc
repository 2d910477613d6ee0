#include "daemon/sendmail/line_ends.h"

namespace hooksmtpd::sendmail {

void LineEnds::write(std::string_view bytes, std::string& out) {
  if (bytes.empty()) return;
  out += bytes;
  last_ = bytes.back();
}

bool LineEnds::convert(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    if (at_line_start_) {
      const char next = bytes.front();
      if (next == '\n' && !held_.empty()) return false;
      if ((held_.empty() && next == '.') || (held_ == "." && next == '\r')) {
        held_ += next;
        bytes.remove_prefix(1);
        continue;
      }
      write(held_, out);
      held_.clear();
      at_line_start_ = false;
    }
    const std::size_t end = bytes.find('\n');
    write(bytes.substr(0, end), out);
    if (end == std::string_view::npos) break;
    write(last_ == '\r' ? "\n" : "\r\n", out);
    at_line_start_ = dot_ == Dot::kEnds;
    bytes.remove_prefix(end + 1);
  }
  return true;
}

void LineEnds::finish(std::string& out) {
  held_.clear();  // a dot at the very end has ended the message, too
  if (last_ != '\n') write(last_ == '\r' ? "\n" : "\r\n", out);
}

}  // namespace hooksmtpd::sendmail
