// The kinds of table that stand for something of their own: [[listener]], [[hook]] and [[tls.sni]].

#pragma once

#include <array>
#include <string_view>

#include "config/defaults.h"
#include "config/page.h"

namespace hooksmtpd::config {

// Those with the name of a setting, or of a group of settings, hold for this listener instead of all.
inline constexpr std::array<std::string_view, 16> kListenerKeys{
    "name", "address", "protocol", "socket_mode",    "tls",     "hostname", "banner",   "hooks",
    "hide", "add",     "lenient",  "proxy_protocol", "xclient", "limits",   "timeouts", "auth"};
inline constexpr std::array<std::string_view, 3> kCertificateKeys{"certificate", "key", "key_password_file"};
inline constexpr std::array<std::string_view, 14> kHookKeys{
    "name",   "use",     "command",       "events",      "timeout", "on_failure",  "instances",
    "stores", "options", "start_timeout", "environment", "sandbox", "line_buffer", "reload_on_change"};
inline constexpr std::array<std::string_view, 9> kSandboxKeys{"user",   "read",      "write", "listen", "network",
                                                              "memory", "processes", "cpu",   "files"};

// What is wrong goes to the page; what is returned then serves only to find more.
Listener read_listener(Page& page, const toml::table& table);
Hook read_hook(Page& page, const toml::table& table, const Machine& machine);
Certificate read_certificate(Page& page, const toml::table& table);

// `options` as a JSON object: pure ASCII, keys sorted, so that equal tables give equal texts.
std::string read_options(Section& hook, std::string_view key);

// Reports one that is missing or misspelt. Names become folders and words of the log.
std::string read_name(Page& page, const toml::table& table, std::string_view what, std::string_view absent);

}  // namespace hooksmtpd::config
