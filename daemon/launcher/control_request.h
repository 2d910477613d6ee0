// What may be asked on the control socket: one JSON object a line.
//
//   {"command":"status"}   {"command":"ready"}   {"command":"reload"}   {"command":"stop","wait":true}
//   {"command":"cget","key":"banner"}            without a key: all settings
//   {"command":"configure","key":"banner","value":"hello"}
//
// Each is answered by one line: {"ok":true,...} or {"ok":false,"kind":"usage","error":"...","suggestion":"..."}.

#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "daemon/launcher/live_config.h"

namespace hooksmtpd::launcher {

namespace request {
struct Status {};
struct Ready {};
struct Configure {
  std::string key, value;
};
struct Cget {
  std::string key;  // empty: all
};
struct Reload {};
struct Stop {
  bool wait = false;  // keep the connection: its end tells that the daemon has stopped
};
// What the worker tells: the client's socket is handed to it, with the request.
struct Subscribe {
  std::string line;  // at most kMaxSubscription octets
};
struct Hooks {};
struct RestartHook {
  std::string hook;
  std::uint32_t instance = 0;  // 0: all of them
};
}  // namespace request

using ControlRequest = std::variant<request::Status, request::Ready, request::Configure, request::Cget, request::Reload,
                                    request::Stop, request::Subscribe, request::Hooks, request::RestartHook>;

inline constexpr std::size_t kMaxSubscription = 4 * 1024;

std::expected<ControlRequest, Refusal> parse_control_request(std::string_view line);

// As one line, without its end. Bytes that are not UTF-8 come out as U+FFFD.
std::string to_line(const nlohmann::json& reply);
nlohmann::json to_json(const Refusal& refusal);

}  // namespace hooksmtpd::launcher
