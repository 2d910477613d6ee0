// What comes on standard input, a piece at a time, as SMTP wants it: every line ends with CRLF.

#pragma once

#include <string>
#include <string_view>

namespace hooksmtpd::sendmail {

class LineEnds {
 public:
  enum class Dot { kEnds, kIsText };  // a line with only a dot

  explicit LineEnds(Dot dot) : dot_(dot), at_line_start_(dot == Dot::kEnds) {}

  // Appends the converted `bytes` to `out`; a CR that no LF follows stays what it is. False: the lone dot has come, and
  // whatever follows is no part of the message.
  bool convert(std::string_view bytes, std::string& out);
  // There is no more: the last line ends here, too.
  void finish(std::string& out);

 private:
  void write(std::string_view bytes, std::string& out);

  Dot dot_;
  bool at_line_start_;  // with kEnds only: the line so far may become a lone dot, and is in held_
  std::string held_;    // "", "." or ".\r"
  char last_ = '\n';    // octet written
};

}  // namespace hooksmtpd::sendmail
