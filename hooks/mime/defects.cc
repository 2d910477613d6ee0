#include "hooks/mime/defects.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proto/hook/printable.h"

namespace hooksmtpd::mime {
namespace {

constexpr std::size_t kMost = 20;
constexpr std::size_t kShown = 60;  // octets of what is quoted

}  // namespace

void Defects::add(std::string sentence) {
  if (sentences_.size() > kMost || std::ranges::find(sentences_, sentence) != sentences_.end()) return;
  sentences_.push_back(sentences_.size() == kMost ? "and more that is not listed" : std::move(sentence));
}

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", hook::printable(text, kShown)); }

}  // namespace hooksmtpd::mime
