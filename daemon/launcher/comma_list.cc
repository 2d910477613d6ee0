#include "daemon/launcher/comma_list.h"

namespace hooksmtpd::launcher {

std::string comma_list(std::span<const std::string> words) {
  std::string list;
  for (const std::string& word : words) {
    if (!list.empty()) list += ", ";
    list += word;
  }
  return list;
}

}  // namespace hooksmtpd::launcher
