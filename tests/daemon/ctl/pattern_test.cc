#include "daemon/ctl/pattern.h"

#include <doctest/doctest.h>

namespace hooksmtpd::ctl {
namespace {

using Lines = std::vector<std::string>;

const Lines kSession{"S: 220 mail.test ready", "C: EHLO x", "S: 250-mail.test", "S: 250 HELP", "C: QUIT", "S: 221 bye"};

Pattern pattern_of(std::string_view file) {
  auto pattern = Pattern::parse(file);
  REQUIRE(pattern);
  return *std::move(pattern);
}

Lines compared(const Pattern& pattern, const Lines& lines) {
  Lines out;
  for (const std::string& line : lines) {
    if (pattern.compares(line)) out.push_back(line);
  }
  return out;
}

bool matches(std::string_view file, const Lines& lines = kSession) {
  const Pattern pattern = pattern_of(file);
  return pattern.matches(compared(pattern, lines));
}

Lines difference(std::string_view file, const Lines& lines = kSession) {
  const Pattern pattern = pattern_of(file);
  return pattern.difference(compared(pattern, lines)).text;
}

}  // namespace

TEST_CASE("a star stands for any text within a line, everything else for itself") {
  struct Case {
    const char *text, *pattern;
    bool like;
  };
  for (const auto& [text, pattern, like] : {
           Case{"abc", "abc", true},
           {"abc", "ab", false},
           {"abc", "abcd", false},
           {"", "", true},
           {"", "*", true},
           {"abc", "*", true},
           {"abc", "a*", true},
           {"abc", "*c", true},
           {"abc", "a*c", true},
           {"abc", "a*b", false},
           {"abc", "**b**", true},
           {"abcbc", "a*bc", true},
           {"a[b]?", "a[b]?", true},
           {"ab", "a[b]", false},
           {"ab", "a?", false},
           {"a*b", "a*b", true},
           {"aaaaab", "*a*a*b", true},
           {"aaaaac", "*a*a*b", false},
           {"a\\b", "a\\b", true},
       }) {
    CAPTURE(text);
    CAPTURE(pattern);
    CHECK(is_like(text, pattern) == like);
  }
}

TEST_CASE("a star costs at most the product of both lengths") {
  CHECK_FALSE(is_like(std::string(20'000, 'a'), "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"));
}

TEST_CASE("a session matches line by line, and dots stand for any lines") {
  CHECK(matches("S: 220 *\nC: EHLO *\nS: 250-*\nS: 250 HELP\nC: QUIT\nS: 221 *\n"));
  CHECK(matches("S: 220 *\r\n# comment\n\nC: EHLO *   \n...\nC: QUIT\nS: 221 *"));
  CHECK(matches("...\nC: QUIT\n...\n"));
  CHECK(matches("...\n...\nS: 220 *\n...\n"));
  CHECK_FALSE(matches("S: 220 *\nC: EHLO *\nS: 250 HELP\nC: QUIT\nS: 221 *\n"));
  CHECK_FALSE(matches("C: QUIT\n...\n"));
  CHECK_FALSE(matches("...\nC: QUIT\n...\nC: EHLO x\n...\n"));
}

TEST_CASE("kinds of lines that a file has nowhere are not compared") {
  CHECK(matches("C: EHLO x\nC: QUIT\n"));
  CHECK(matches("C: EHLO x\nC: QUIT\n", {"C: EHLO x", "H: policy helo accept", "C: QUIT"}));
  CHECK_FALSE(
      matches("C: EHLO x\nH: policy helo reject\nC: QUIT\n", {"C: EHLO x", "H: policy helo accept", "C: QUIT"}));
}

TEST_CASE("the difference is the smallest that there is") {
  CHECK(difference("S: 220 *\nC: HELO x\n...\nC: QUIT\nS: 221 *\n") ==
        Lines{"  S: 220 mail.test ready", "- C: HELO x", ". C: EHLO x", ". S: 250-mail.test", ". S: 250 HELP",
              "  C: QUIT", "  S: 221 bye"});
  CHECK(difference("C: EHLO x\nC: NOOP\nC: QUIT\n") == Lines{"  C: EHLO x", "- C: NOOP", "  C: QUIT"});
  CHECK(difference("C: QUIT\n") == Lines{"+ C: EHLO x", "  C: QUIT"});
  CHECK(difference("C: EHLO x\n", {}) == Lines{"- C: EHLO x"});
  CHECK(difference("...\nC: A\n", {}) == Lines{"- C: A"});
}

TEST_CASE("what is no pattern is refused with the number of its line") {
  CHECK(Pattern::parse("C: x\nQUIT\n").error() == "line 2: it begins with C:, S: or H:, or is ...");
  CHECK(Pattern::parse("D: x\n").error().starts_with("line 1: "));
  CHECK(Pattern::parse("... \n# only\n").error() == "it has no line that could be compared");
  CHECK(Pattern::parse("").error() == "it has no line that could be compared");
  std::string many;
  for (std::size_t i = 0; i <= Pattern::kMaxLines; ++i) many += "C: x\n";
  CHECK(Pattern::parse(many).error() == "it has more than 1000 lines");
}

}  // namespace hooksmtpd::ctl
