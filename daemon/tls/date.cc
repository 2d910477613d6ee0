#include "daemon/tls/date.h"

#include <array>
#include <ctime>

namespace hooksmtpd::tls {

std::string date(const ASN1_TIME* time) {
  std::tm parts{};
  std::array<char, 40> text{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "a date that cannot be read";
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

}  // namespace hooksmtpd::tls
