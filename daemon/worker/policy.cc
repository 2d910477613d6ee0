#include "daemon/worker/policy.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "proto/sasl/mechanism.h"

namespace hooksmtpd::worker {
namespace {

using config::HookEvent;

smtp::Settings::Tls to_session(config::TlsMode mode) {
  switch (mode) {
    case config::TlsMode::kStarttls:
      return smtp::Settings::Tls::kOffered;
    case config::TlsMode::kRequired:
      return smtp::Settings::Tls::kRequired;
    case config::TlsMode::kNone:
    case config::TlsMode::kImplicit:
      break;
  }
  return smtp::Settings::Tls::kNone;
}

smtp::Settings::Auth::Source to_session(config::AuthSource source) {
  using Source = smtp::Settings::Auth::Source;
  switch (source) {
    case config::AuthSource::kNone:
      return Source::kNone;
    case config::AuthSource::kPasswords:
      return Source::kPasswords;
    case config::AuthSource::kHook:
      return Source::kHook;
    case config::AuthSource::kAcceptAny:
      return Source::kAcceptAny;
  }
  return Source::kNone;
}

sasl::PasswordFile read_passwords(const config::Auth& auth) {
  auto users = sasl::PasswordFile::parse(auth.passwords);
  if (!users) throw std::runtime_error(auth.password_file.string() + " is not what was checked");
  return *std::move(users);
}

std::vector<sasl::Mechanism> mechanisms_of(const config::Auth& auth, const sasl::PasswordFile* users) {
  const auto offered = [&]() -> std::vector<sasl::Mechanism> {
    switch (auth.source) {
      case config::AuthSource::kNone:
        break;
      case config::AuthSource::kPasswords:
        return sasl::offered(sasl::Source::kPasswords, users);
      case config::AuthSource::kHook:
        return sasl::offered(sasl::Source::kHook, nullptr);
      case config::AuthSource::kAcceptAny:
        return sasl::offered(sasl::Source::kAcceptAny, nullptr);
    }
    return {};
  };
  std::vector<sasl::Mechanism> mechanisms = offered();
  if (auth.mechanisms.empty()) return mechanisms;
  std::erase_if(mechanisms, [&](sasl::Mechanism mechanism) {
    return std::ranges::find(auth.mechanisms, sasl::to_string(mechanism)) == auth.mechanisms.end();
  });
  return mechanisms;
}

}  // namespace

Policy::Policy(const config::Config& all, const config::Listener& listener)
    : proxies_(listener.proxy_protocol), xclients_(listener.xclient) {
  const config::Config config = config::for_listener(all, listener);
  limits_ = config.limits;
  timeouts_ = config.timeouts;
  implicit_tls_ = config.tls.mode == config::TlsMode::kImplicit;
  for (std::size_t i = 0; i < config.hooks.size(); ++i) {
    const config::Hook& hook = config.hooks[i];
    if (listener.hooks && std::ranges::find(*listener.hooks, hook.name) == listener.hooks->end()) continue;
    for (std::size_t event = 0; event < config::kHookEvents; ++event) {
      if (hook.events[event].subscribed) chains_[event].push_back(i);
    }
    // One that gets messages as a tree is asked in its turn among those that get them as they are.
    if (hook.on(HookEvent::kDeliverMime).subscribed && !hook.on(HookEvent::kDeliver).subscribed) {
      chains_[static_cast<std::size_t>(HookEvent::kDeliver)].push_back(i);
    }
  }
  if (config.auth.source == config::AuthSource::kPasswords) users_ = read_passwords(config.auth);
  settings_ = {.hostname = config.hostname,
               .banner = config.banner,
               .message_size = config.limits.message_size,
               .recipients = config.limits.recipients,
               .errors = config.limits.errors,
               .commands = config.limits.commands,
               .strict_lines = config.limits.strict_lines,
               .judged = {.host = !chain(HookEvent::kValidateHost).empty(),
                          .starttls = !chain(HookEvent::kStarttls).empty(),
                          .helo = !chain(HookEvent::kHelo).empty(),
                          .sender = !chain(HookEvent::kValidateSender).empty(),
                          .recipient = !chain(HookEvent::kValidateRecipient).empty(),
                          .data = !chain(HookEvent::kData).empty(),
                          .message = !chain(HookEvent::kDeliver).empty(),
                          .command = !chain(HookEvent::kCommand).empty()},
               .protocol = listener.protocol == config::ListenerProtocol::kLmtp ? smtp::Settings::Protocol::kLmtp
                                                                                : smtp::Settings::Protocol::kSmtp,
               .lenient = listener.lenient,
               .tls = to_session(config.tls.mode),
               .auth = {.source = to_session(config.auth.source),
                        .required = config.auth.required,
                        .before_tls = config.auth.before_tls,
                        .mechanisms = mechanisms_of(config.auth, users_ ? &*users_ : nullptr),
                        .users = users_ ? &*users_ : nullptr},
               .hidden = listener.hide,
               .added = listener.add};
}

bool Policy::in_any(const std::vector<config::Network>& networks, std::string_view address) {
  return std::ranges::any_of(networks, [&](const config::Network& network) { return contains(network, address); });
}

}  // namespace hooksmtpd::worker
