// What a session should look like, line by line: the file of `hooksmtpctl expect`.
//
//   # a comment; blank lines do not count either
//   S: 220 *
//   C: EHLO *
//   ...
//   C: RCPT TO:<ghost@*>
//   H: policy validate_recipient reject
//   S: 550 *
//   ...
//
// `*` stands for anything within a line, a line `...` for any number of lines, none too. Lines of a kind (C:, S:, H:)
// that the file has nowhere are not compared: without an H: line it does not matter which hooks were asked.

#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace hooksmtpd::ctl {

class Pattern {
 public:
  inline static constexpr std::size_t kMaxLines = 1000;

  // The error is a sentence with the number of the line.
  static std::expected<Pattern, std::string> parse(std::string_view file);

  // Whether this line, as dialogue_line() gives it, is of a kind that is compared.
  bool compares(std::string_view line) const;
  // `lines` are those of a session that are compared.
  bool matches(const std::vector<std::string>& lines) const { return difference(lines).lines == 0; }

  struct Difference {
    std::size_t lines = 0;  // that are missing, and that are too many
    // "  S: 220 x" as it should be, ". S: 250 x" in the place of "...", "- S: 250 *" missing, "+ S: 550 no" too many
    std::vector<std::string> text{};
  };
  // The smallest one that there is.
  Difference difference(const std::vector<std::string>& lines) const;

 private:
  struct Line {
    bool any = false;  // "..."
    std::string text{};
  };
  std::vector<Line> lines_{};
  std::string kinds_{};  // of "CSH"
};

// `*` in `pattern` stands for any text, also for none; everything else for itself.
bool is_like(std::string_view text, std::string_view pattern);

}  // namespace hooksmtpd::ctl
