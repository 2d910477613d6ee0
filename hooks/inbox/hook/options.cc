#include "hooks/inbox/hook/options.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

namespace hooksmtpd::inbox {
namespace {

using Json = nlohmann::json;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array<Unit, 4> kSizes{{{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}}};
constexpr std::array<Unit, 5> kTimes{{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}, {"w", 604'800}}};

// A number with a unit, such as "30d"; empty: 0.
std::optional<std::uint64_t> quantity(const std::string& text, std::span<const Unit> units) {
  if (text.empty()) return 0;
  std::uint64_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  const auto unit = std::ranges::find(units, std::string_view(end, last), &Unit::name);
  if (error != std::errc() || unit == units.end() || value > (std::uint64_t{1} << 40)) return std::nullopt;
  return value * unit->factor;
}

[[noreturn]] void wrong(std::string_view option, std::string_view must) {
  throw std::runtime_error(fmt::format("the option `{}` must be {}", option, must));
}

std::string text(const Json& json, const char* key, std::string_view option) {
  const auto found = json.find(key);
  if (found == json.end()) return {};
  if (!found->is_string()) wrong(option, "a string");
  return *found;
}

// The path of a unix socket, which has to fit in an address (unix(7)).
std::string socket(const Json& json, const char* key) {
  std::string path = text(json, key, key);
  if (!path.empty() && (path[0] != '/' || path.size() >= sizeof(sockaddr_un::sun_path))) {
    wrong(key, fmt::format("an absolute path of at most {} octets", sizeof(sockaddr_un::sun_path) - 1));
  }
  return path;
}

Retention retention(const Json& json) {
  if (!json.is_object()) wrong("retain", "a table");
  Retention keep;
  if (const auto messages = json.find("messages"); messages != json.end()) {
    if (!messages->is_number_unsigned()) wrong("retain.messages", "a number; 0: any number");
    keep.messages = *messages;
  }
  const auto octets = quantity(text(json, "size", "retain.size"), kSizes);
  if (!octets) wrong("retain.size", "a size such as \"2G\"");
  keep.octets = *octets;
  const auto age = quantity(text(json, "age", "retain.age"), kTimes);
  if (!age) wrong("retain.age", "a time such as \"30d\"");
  keep.age = std::chrono::seconds(*age);
  return keep;
}

MailboxRule mailbox(const Json& json) {
  if (!json.is_object()) wrong("mailboxes", "a list of tables");
  MailboxRule rule{.name = text(json, "name", "mailboxes.name"),
                   .recipient = text(json, "recipient", "mailboxes.recipient"),
                   .listener = text(json, "listener", "mailboxes.listener"),
                   .user = text(json, "user", "mailboxes.user")};
  if (rule.name.empty() || rule.name.size() > 64) wrong("mailboxes.name", "1 to 64 octets");
  return rule;
}

void read(const Json& json, Options& options) {
  if (!json.is_object()) throw std::runtime_error("the options must be a table");
  constexpr std::array<std::string_view, 6> kKnown{"retain", "mailboxes", "hosts", "password_file", "relay", "faults"};
  for (const auto& [key, value] : json.items()) {
    if (std::ranges::find(kKnown, key) == kKnown.end()) {
      std::string known;
      for (const std::string_view each : kKnown) known.append(known.empty() ? "" : ", ").append(each);
      throw std::runtime_error(fmt::format("there is no option `{}`: {}", key, known));
    }
  }
  options.retention = retention(json.value("retain", Json::object()));
  for (const Json& each : json.value("mailboxes", Json::array())) options.mailboxes.push_back(mailbox(each));
  for (const Json& each : json.value("hosts", Json::array())) {
    if (!each.is_string()) wrong("hosts", "a list of names");
    options.hosts.push_back(each);
  }
  options.password_file = text(json, "password_file", "password_file");
  options.relay = socket(json, "relay");
  options.faults = socket(json, "faults");
}

bool fits(const std::string& wanted, const std::string& is) { return wanted.empty() || wanted == is; }

bool fits_some(const std::string& pattern, const std::vector<std::string>& recipients) {
  return pattern.empty() || std::ranges::any_of(recipients, [&](const std::string& recipient) {
           return fnmatch(pattern.c_str(), recipient.c_str(), FNM_CASEFOLD) == 0;
         });
}

}  // namespace

std::expected<Options, std::string> parse_options(const Json& json) try {
  Options options;
  read(json, options);
  return options;
} catch (const std::exception& error) {
  return std::unexpected(error.what());
}

std::string mailbox_of(const std::vector<MailboxRule>& rules, const Arrival& arrival) {
  const auto rule = std::ranges::find_if(rules, [&](const MailboxRule& each) {
    return fits(each.listener, arrival.listener) && fits(each.user, arrival.user) &&
           fits_some(each.recipient, arrival.to);
  });
  return rule == rules.end() ? kMailbox : rule->name;
}

}  // namespace hooksmtpd::inbox
