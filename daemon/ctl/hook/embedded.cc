#include "daemon/ctl/hook/embedded.h"

#include <algorithm>
#include <string>

namespace hooksmtpd::ctl {

std::string_view find_file(std::span<const EmbeddedFile> files, std::string_view name) {
  const auto found = std::ranges::find(files, name, &EmbeddedFile::name);
  return found == files.end() ? std::string_view() : found->content;
}

std::string_view golden_requests(hook::Event event) {
  return find_file(golden_files(), std::string(to_string(event)).append(".jsonl"));
}

std::string_view first_golden(hook::Event event) {
  const std::string_view lines = golden_requests(event);
  return lines.substr(0, lines.find('\n'));
}

}  // namespace hooksmtpd::ctl
