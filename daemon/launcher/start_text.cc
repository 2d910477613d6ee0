#include "daemon/launcher/start_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace hooksmtpd::launcher {

std::vector<std::string> first_message(const config::Config& config, std::span<const BoundAddress> bound) {
  const BoundAddress* chosen = nullptr;
  config::TlsMode tls{};
  for (const BoundAddress& one : bound) {
    const auto listener = std::ranges::find(config.listeners, one.listener, &config::Listener::name);
    if (listener == config.listeners.end() || listener->protocol != config::ListenerProtocol::kSmtp) continue;
    const config::TlsMode mode = config::for_listener(config, *listener).tls.mode;
    const bool plain = mode == config::TlsMode::kNone || mode == config::TlsMode::kStarttls;
    const bool was_plain = tls == config::TlsMode::kNone || tls == config::TlsMode::kStarttls;
    if (chosen != nullptr && (was_plain || !plain)) continue;
    chosen = &one;
    tls = mode;
  }
  if (chosen == nullptr) return {};
  const std::string& server = chosen->address;
  const bool implicit = tls == config::TlsMode::kImplicit;
  const std::string_view swaks_tls = implicit ? " --tls-on-connect" : tls == config::TlsMode::kRequired ? " --tls" : "";
  const std::string_view curl_tls = tls == config::TlsMode::kRequired ? " --ssl-reqd" : "";
  const std::string_view to = "--from you@example.test --to dev@example.test";
  if (server.starts_with(kUnix)) {
    return {"send a first message:",
            fmt::format("  swaks --socket {}{} {}", server.substr(kUnix.size()), swaks_tls, to)};
  }
  return {
      "send a first message:",
      fmt::format("  swaks --server {}{} {}", server, swaks_tls, to),
      fmt::format("  printf 'Subject: hello\\r\\n\\r\\nIt works.\\r\\n' | curl -sS{} {}://{} "
                  "--mail-from you@example.test --mail-rcpt dev@example.test -T -",
                  curl_tls, implicit ? "smtps" : "smtp", server),
  };
}

std::vector<std::string> web_pages(const config::Config& config, std::span<const BoundAddress> bound) {
  std::vector<std::string> text;
  for (const config::Hook& hook : config.hooks) {
    if (!hook.web_page) continue;
    for (const BoundAddress& one : bound) {
      if (one.listener != hook_listener(hook) || one.address.starts_with(kUnix)) continue;
      text.push_back(fmt::format("read the mail: http://{}", one.address));
    }
  }
  return text;
}

std::string bound_as_json(std::span<const BoundAddress> bound) {
  auto json = nlohmann::ordered_json::object();
  for (const BoundAddress& one : bound) json[one.listener].push_back(one.address);
  return json.dump();
}

}  // namespace hooksmtpd::launcher
