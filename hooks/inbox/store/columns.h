// How values stand in columns that hold more than one.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hooks/inbox/store/values.h"

namespace hooksmtpd::inbox {

// messages.flags.
inline constexpr std::int64_t kFlagTls = 1, kFlagInjected = 2, kFlagBroken = 4, kFlagHtml = 8;

// messages.addresses.
struct AllAddresses {
  std::optional<Address> from;
  Addresses to, cc, bcc, reply_to;
};
std::string to_column(const AllAddresses& addresses);
AllAddresses addresses_from_column(std::string_view text);

// messages.arrival, without what has a column of its own.
std::string to_column(const Arrival& arrival);
Arrival arrival_from_column(std::string_view text);

// sessions.facts, without what has a column of its own.
std::string to_column(const Session& session);
void from_column(std::string_view text, Session& session);

}  // namespace hooksmtpd::inbox
