#include "daemon/sendmail/line_ends.h"

#include <doctest/doctest.h>

#include <string>

using hooksmtpd::sendmail::LineEnds;

namespace {

// What becomes of `input` when it comes in pieces of `size` octets.
std::string convert(std::string_view input, LineEnds::Dot dot, std::size_t size) {
  LineEnds line_ends(dot);
  std::string out;
  for (; !input.empty(); input.remove_prefix(std::min(size, input.size()))) {
    if (!line_ends.convert(input.substr(0, size), out)) return out;
  }
  line_ends.finish(out);
  return out;
}

}  // namespace

TEST_CASE("every line ends with CRLF, wherever the input is cut") {
  struct Case {
    std::string input, text, ended;  // with Dot::kIsText, with Dot::kEnds
  };
  for (const Case& one : {
           Case{"", "", ""},
           {"a\nb\n", "a\r\nb\r\n", "a\r\nb\r\n"},
           {"a\r\nb\r\n", "a\r\nb\r\n", "a\r\nb\r\n"},
           {"a\nb", "a\r\nb\r\n", "a\r\nb\r\n"},
           {"a\r", "a\r\n", "a\r\n"},
           {"a\rb\r\r\n", "a\rb\r\r\n", "a\rb\r\r\n"},
           {"\n\n", "\r\n\r\n", "\r\n\r\n"},
           {"a\n.\nb\n", "a\r\n.\r\nb\r\n", "a\r\n"},
           {"a\r\n.\r\nb\r\n", "a\r\n.\r\nb\r\n", "a\r\n"},
           {".\n", ".\r\n", ""},
           {"a\n.", "a\r\n.\r\n", "a\r\n"},
           {"a\n..\n.b\n. \n", "a\r\n..\r\n.b\r\n. \r\n", "a\r\n..\r\n.b\r\n. \r\n"},
           {"a\n.\r.\n", "a\r\n.\r.\r\n", "a\r\n.\r.\r\n"},
       }) {
    for (std::size_t size = 1; size <= one.input.size() + 1; ++size) {
      CAPTURE(one.input);
      CAPTURE(size);
      CHECK(convert(one.input, LineEnds::Dot::kIsText, size) == one.text);
      CHECK(convert(one.input, LineEnds::Dot::kEnds, size) == one.ended);
    }
  }
}
