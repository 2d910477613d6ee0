// What holds for the clients of one listener.

#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "proto/sasl/password_file.h"
#include "proto/smtp/session.h"

namespace hooksmtpd::worker {

class Policy {
 public:
  // `config` is the whole one: what `listener` has of its own is put in its place here.
  Policy(const config::Config& config, const config::Listener& listener);
  Policy(const Policy&) = delete;

  const config::Limits& limits() const { return limits_; }
  const config::Timeouts& timeouts() const { return timeouts_; }
  const smtp::Settings& settings() const { return settings_; }
  bool implicit_tls() const { return implicit_tls_; }
  bool has_tls() const { return implicit_tls_ || settings_.tls != smtp::Settings::Tls::kNone; }

  // Positions in Config::hooks of those that are asked about `event`, in configured order.
  const std::vector<std::size_t>& chain(config::HookEvent event) const {
    return chains_[static_cast<std::size_t>(event)];
  }

  // Whether clients of this address must send a PROXY header; whether they may say XCLIENT.
  bool from_proxy(std::string_view address) const { return in_any(proxies_, address); }
  bool may_xclient(std::string_view address) const { return in_any(xclients_, address); }

 private:
  static bool in_any(const std::vector<config::Network>& networks, std::string_view address);

  config::Limits limits_;
  config::Timeouts timeouts_;
  bool implicit_tls_ = false;
  std::vector<config::Network> proxies_, xclients_;
  std::array<std::vector<std::size_t>, config::kHookEvents> chains_;
  std::optional<sasl::PasswordFile> users_;
  smtp::Settings settings_;
};

}  // namespace hooksmtpd::worker
