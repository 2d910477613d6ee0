#include "proto/smtp/extensions.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "proto/smtp/limits.h"
#include "proto/smtp/xclient.h"

namespace hooksmtpd::smtp {
namespace {

constexpr std::array<std::string_view, 17> kNames{
    "PIPELINING",  "SIZE",     "8BITMIME", "ENHANCEDSTATUSCODES", "STARTTLS", "AUTH",      "CHUNKING",
    "BINARYMIME",  "SMTPUTF8", "DSN",      "REQUIRETLS",          "LIMITS",   "DELIVERBY", "FUTURERELEASE",
    "MT-PRIORITY", "XCLIENT",  "HELP",
};

using Auth = Settings::Auth;

std::chrono::sys_seconds latest_hold(const Now& now) { return now.time + std::chrono::seconds(kLongestHold); }

std::string auth_line(const Auth& auth) {
  std::string line = "AUTH";
  for (const sasl::Mechanism mechanism : auth.mechanisms) (line += ' ') += to_string(mechanism);
  return line;
}

// The keyword and what stands behind it.
std::string ehlo_line(Extension extension, const Settings& settings, const Now& now) {
  switch (extension) {
    case Extension::kSize:
      return fmt::format("SIZE {}", settings.message_size);
    case Extension::kAuth:
      return auth_line(settings.auth);
    case Extension::kLimits:
      return fmt::format("LIMITS RCPTMAX={}", settings.recipients);  // RFC 9422 §4.2
    case Extension::kFutureRelease:                                  // RFC 4865 §4
      return fmt::format("FUTURERELEASE {} {:%Y-%m-%dT%H:%M:%SZ}", kLongestHold,
                         fmt::gmtime(std::chrono::system_clock::to_time_t(latest_hold(now))));
    case Extension::kXclient:
      return fmt::format("XCLIENT {}", kXclientAttributes);
    default:
      return std::string(to_string(extension));
  }
}

}  // namespace

std::string_view to_string(Extension extension) { return kNames[static_cast<std::size_t>(extension)]; }

bool understands(Extension extension, const Circumstances& circumstances) {
  const Settings& settings = circumstances.settings;
  const bool has_tls = circumstances.tls || settings.tls != Settings::Tls::kNone;
  if (std::ranges::find(settings.hidden, to_string(extension)) != settings.hidden.end()) return false;
  switch (extension) {
    case Extension::kStartTls:
    case Extension::kRequireTls:
      return has_tls;
    case Extension::kAuth:
      return settings.auth.source != Auth::Source::kNone && !settings.auth.mechanisms.empty();
    case Extension::kBinaryMime:
      return understands(Extension::kChunking, circumstances);  // RFC 3030 §3: it needs the other
    case Extension::kSmtpUtf8:
      return understands(Extension::kEightBitMime, circumstances);  // RFC 6531 §3.1: so does this
    case Extension::kXclient:
      return circumstances.may_xclient;
    default:
      return true;
  }
}

bool offers(Extension extension, const Circumstances& circumstances) {
  if (!understands(extension, circumstances)) return false;
  switch (extension) {
    case Extension::kStartTls:
      return !circumstances.tls;
    case Extension::kRequireTls:
      return circumstances.tls;  // RFC 8689 §2
    case Extension::kAuth:
      return circumstances.tls || circumstances.settings.auth.before_tls;
    default:
      return true;
  }
}

bool understands(Verb verb, const Circumstances& circumstances) {
  const bool lmtp = circumstances.settings.protocol == Settings::Protocol::kLmtp;
  switch (verb) {
    case Verb::kEhlo:
    case Verb::kHelo:
      return !lmtp;
    case Verb::kLhlo:
      return lmtp;
    case Verb::kStartTls:
      return understands(Extension::kStartTls, circumstances);
    case Verb::kAuth:
      return understands(Extension::kAuth, circumstances);
    case Verb::kBdat:
      return understands(Extension::kChunking, circumstances);
    case Verb::kXclient:
      return understands(Extension::kXclient, circumstances);
    case Verb::kHelp:
      return understands(Extension::kHelp, circumstances);
    default:
      return true;
  }
}

std::vector<std::string> ehlo_lines(const Circumstances& circumstances, const Now& now) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const auto extension = static_cast<Extension>(i);
    if (offers(extension, circumstances)) lines.push_back(ehlo_line(extension, circumstances.settings, now));
  }
  std::ranges::copy(circumstances.settings.added, std::back_inserter(lines));
  return lines;
}

Offer parameters_offered(const Circumstances& circumstances, const Now& now) {
  const auto offered = [&](Extension extension) { return offers(extension, circumstances); };
  return {.size = offered(Extension::kSize),
          .eight_bit_mime = offered(Extension::kEightBitMime),
          .binary_mime = offered(Extension::kBinaryMime),
          .smtputf8 = offered(Extension::kSmtpUtf8),
          .dsn = offered(Extension::kDsn),
          .auth = offered(Extension::kAuth),
          .require_tls = understands(Extension::kRequireTls, circumstances),
          .deliver_by = offered(Extension::kDeliverBy),
          .future_release = offered(Extension::kFutureRelease),
          .mt_priority = offered(Extension::kMtPriority),
          .tls = circumstances.tls,
          .message_size = circumstances.settings.message_size,
          .shortest_by = 0,
          .longest_hold = kLongestHold,
          .latest_hold = latest_hold(now)};
}

}  // namespace hooksmtpd::smtp
