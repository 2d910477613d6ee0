#include "proto/smtp/parameters.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "proto/smtp/replies.h"

namespace hooksmtpd::smtp {

std::optional<std::string_view> judge_mail_parameters(const mail::Parameters& params, std::uint64_t message_size) {
  for (const auto& [keyword, value] : params) {
    if (keyword == "SIZE") {
      std::uint64_t size = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), size);
      if (value.empty() || end != value.data() + value.size()) return replies::kBadParameter;
      if (error == std::errc::result_out_of_range || size > message_size)
        return replies::kTooMuchData;  // RFC 1870 §6.1
    } else if (keyword == "BODY") {
      std::string type = value;
      std::ranges::transform(type, type.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
      if (type != "7BIT" && type != "8BITMIME") return replies::kBadParameter;
    } else {
      return replies::kUnknownParameter;  // §4.1.1.11: 555
    }
  }
  return std::nullopt;
}

}  // namespace hooksmtpd::smtp
