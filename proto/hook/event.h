// What a hook can be asked about (PROTOCOL.md, "Events").

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hooksmtpd::hook {

enum class Event : std::uint8_t {
  kHello,
  kValidateHost,
  kHelo,
  kStarttls,
  kAuth,
  kValidateSender,
  kValidateRecipient,
  kData,
  kDeliver,
  kDeliverMime,
  kCommand,
  kReset,
  kDisconnect,
  kCancel,
};

inline constexpr std::size_t kEvents = 14;

// "validate_host" and so on, as requests spell it.
std::string_view to_string(Event event);
std::optional<Event> parse_event(std::string_view name);

// Whether the verdict of a reply decides anything. To the other events a hook says `ok`, or whatever it likes.
bool verdict_counts(Event event);

}  // namespace hooksmtpd::hook
