#include "daemon/ctl/pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hooksmtpd::ctl {
namespace {

// "S: x" -> 'S'; 0: neither C, S nor H.
char kind_of(std::string_view line) {
  const bool has_kind =
      line.size() >= 2 && line[1] == ':' && std::string_view("CSH").find(line[0]) != std::string::npos;
  return has_kind ? line[0] : '\0';
}

std::string_view trimmed_right(std::string_view line) {
  while (line.ends_with(' ') || line.ends_with('\t') || line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

bool is_like(std::string_view text, std::string_view pattern) {
  // Each `*` takes as little as it can; only the last one may have to take more.
  std::size_t at = 0, in_pattern = 0, star = std::string_view::npos, star_at = 0;
  while (at < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      star_at = at;
    } else if (in_pattern < pattern.size() && pattern[in_pattern] == text[at]) {
      ++in_pattern;
      ++at;
    } else if (star != std::string_view::npos) {
      in_pattern = star + 1;
      at = ++star_at;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == std::string_view::npos;
}

std::expected<Pattern, std::string> Pattern::parse(std::string_view file) {
  Pattern pattern;
  for (std::size_t number = 1; !file.empty(); ++number) {
    const std::size_t end = file.find('\n');
    const std::string_view line = trimmed_right(file.substr(0, end));
    file.remove_prefix(end == std::string_view::npos ? file.size() : end + 1);
    if (line.empty() || line.starts_with('#')) continue;
    const char kind = kind_of(line);
    if (line != "..." && kind == '\0') {
      return std::unexpected(fmt::format("line {}: it begins with C:, S: or H:, or is ...", number));
    }
    if (pattern.lines_.size() == kMaxLines) return std::unexpected(fmt::format("it has more than {} lines", kMaxLines));
    if (kind != '\0' && pattern.kinds_.find(kind) == std::string::npos) pattern.kinds_ += kind;
    pattern.lines_.push_back({.any = kind == '\0', .text = std::string(line)});
  }
  if (pattern.kinds_.empty()) return std::unexpected("it has no line that could be compared");
  return pattern;
}

bool Pattern::compares(std::string_view line) const {
  const char kind = kind_of(line);
  return kind != '\0' && kinds_.find(kind) != std::string::npos;
}

// The least costly way through a table: cost[i][j] is what the first i lines of the pattern and the first j of the
// session have not in common.
Pattern::Difference Pattern::difference(const std::vector<std::string>& lines) const {
  const std::size_t width = lines.size() + 1;
  std::vector<std::uint32_t> cost((lines_.size() + 1) * width);
  const auto at = [&](std::size_t i, std::size_t j) -> std::uint32_t& { return cost[i * width + j]; };
  const auto equal = [&](std::size_t i, std::size_t j) {
    return !lines_[i - 1].any && is_like(lines[j - 1], lines_[i - 1].text);
  };
  for (std::size_t i = 0; i <= lines_.size(); ++i) {
    const bool any = i > 0 && lines_[i - 1].any;
    for (std::size_t j = 0; j <= lines.size(); ++j) {
      if (i == 0 && j == 0) continue;
      std::uint32_t least = ~std::uint32_t{0};
      if (i > 0) least = at(i - 1, j) + (any ? 0 : 1);
      if (j > 0) least = std::min(least, at(i, j - 1) + (any ? 0 : 1));
      if (i > 0 && j > 0 && equal(i, j)) least = std::min(least, at(i - 1, j - 1));
      at(i, j) = least;
    }
  }

  Difference difference{.lines = at(lines_.size(), lines.size())};
  std::size_t i = lines_.size(), j = lines.size();
  while (i > 0 || j > 0) {
    const bool any = i > 0 && lines_[i - 1].any;
    if (i > 0 && j > 0 && at(i, j) == at(i - 1, j - 1) && equal(i, j)) {
      difference.text.push_back(fmt::format("  {}", lines[j - 1]));
      --i;
      --j;
    } else if (j > 0 && at(i, j) == at(i, j - 1) + (any ? 0 : 1)) {
      difference.text.push_back(fmt::format("{} {}", any ? '.' : '+', lines[j - 1]));
      --j;
    } else {
      if (!any) difference.text.push_back(fmt::format("- {}", lines_[i - 1].text));
      --i;
    }
  }
  std::ranges::reverse(difference.text);
  return difference;
}

}  // namespace hooksmtpd::ctl
