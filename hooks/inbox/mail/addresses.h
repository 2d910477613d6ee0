// Header fields of addresses, and dates (RFC 5322 §3.3, §3.4), as GMime reads them: whatever stands there.

#pragma once

#include <optional>
#include <string_view>

#include "hooks/inbox/store/values.h"

namespace hooksmtpd::inbox {

// `raw`: a field's value with its folding. Groups become their members. At most kMostAddresses of them.
inline constexpr std::size_t kMostAddresses = 1000;
Addresses parse_addresses(std::string_view raw);

std::optional<Time> parse_date(std::string_view raw);

}  // namespace hooksmtpd::inbox
