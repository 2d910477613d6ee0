#include "config/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace hooksmtpd::config {
namespace {

constexpr std::size_t kLongestWord = 64;  // the work is its square: nobody mistypes a key of this length
constexpr std::size_t kFew = 8;

}  // namespace

// Optimal string alignment, three rows at a time.
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before(to.size() + 1), last(to.size() + 1), row(to.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[to.size()];
}

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known) {
  if (word.size() > kLongestWord) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t bound = std::max<std::size_t>(1, word.size() / 3) + 1;  // what the next candidate must stay below
  for (const std::string_view candidate : known) {
    std::size_t distance = edit_distance(word, candidate);
    // "warning" for "warn", "addr" for "address".
    if (word.size() >= 3 && (word.starts_with(candidate) || candidate.starts_with(word))) {
      distance = std::min(distance, bound - 1);
    }
    if (distance < bound) {
      best = candidate;
      bound = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  if (const auto near = nearest(word, known)) return fmt::format(" — did you mean '{}'?", *near);
  std::string list;
  if (known.size() > kFew) return list;
  for (const std::string_view candidate : known) {
    list += fmt::format("{}{}", list.empty() ? " — known: " : ", ", candidate);
  }
  return list;
}

}  // namespace hooksmtpd::config
