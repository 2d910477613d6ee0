// What the configuration says to the inbox, handed over in hello.
//
//   options = { retain = { messages = 100000, age = "30d", size = "2G" },
//               mailboxes = [ { name = "billing", recipient = "*@billing.test" }, { name = "ci", user = "ci" } ],
//               hosts = ["inbox.example.test"], password_file = "/etc/hooksmtpd/inbox.password",
//               relay = "/srv/hooks/relay.sock", faults = "/srv/hooks/faults.sock" }

#pragma once

#include <expected>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "hooks/inbox/store/writer.h"

namespace hooksmtpd::inbox {

inline constexpr const char* kMailbox = "inbox";  // where mail goes that no rule is about

struct MailboxRule {
  std::string name;
  // All that are not empty must fit: a pattern with `*` for the address of some recipient, the name of the listener,
  // who had logged in.
  std::string recipient, listener, user;
};

struct Options {
  Retention retention;
  std::vector<MailboxRule> mailboxes;  // the first that fits
  std::vector<std::string> hosts;      // names by which browsers reach us, beside this machine's own
  std::filesystem::path password_file;
  std::filesystem::path relay, faults;  // unix sockets of these hooks; empty: there are none
};

// The error is a sentence that names the option.
std::expected<Options, std::string> parse_options(const nlohmann::json& json);

std::string mailbox_of(const std::vector<MailboxRule>& rules, const Arrival& arrival);

}  // namespace hooksmtpd::inbox
