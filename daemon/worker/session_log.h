// The lines that a session and its messages leave in the log.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/hook/request.h"
#include "proto/smtp/session.h"

namespace hooksmtpd::worker {

hook::EndReason to_reason(smtp::End how);
// nullopt: hooks are not told by `reset`, for there is a message, or they know from the one who was asked about it.
std::optional<hook::ResetReason> to_reason(smtp::TransactionEnd why);

struct SessionEnd {
  std::string_view proxy;  // empty: the client came by itself
  std::uint64_t bytes_received = 0;
  std::chrono::milliseconds duration{};
  hook::EndReason reason = hook::EndReason::kLost;
};
std::string session_line(const smtp::Session& session, const SessionEnd& end);

// `reply` is what the client was told after the data; empty: nothing.
std::string message_line(const smtp::Transaction& transaction, std::string_view reply);

}  // namespace hooksmtpd::worker
