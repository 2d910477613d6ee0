#include "hooks/inbox/page/page.h"

#include <algorithm>
#include <cassert>

namespace hooksmtpd::inbox::page {
namespace {

constexpr std::string_view kTokenPlace = "@TOKEN@";

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

}  // namespace

const File* find(std::span<const File> files, std::string_view path) {
  const auto found = std::ranges::find(files, path, &File::path);
  return found == files.end() ? nullptr : &*found;
}

const File* find(std::string_view path) { return path == "/" ? nullptr : find(files(), path); }

std::string index(std::string_view token) {
  assert(std::ranges::all_of(token, is_plain) && "it stands in an attribute as it is");
  std::string text{find(files(), "/")->body};
  text.replace(text.find(kTokenPlace), kTokenPlace.size(), token);
  return text;
}

}  // namespace hooksmtpd::inbox::page
