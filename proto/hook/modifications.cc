#include "proto/hook/modifications.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "proto/hook/printable.h"
#include "proto/mail/mailbox.h"

namespace hooksmtpd::hook {
namespace {

using Json = nlohmann::json;
using mail::Action;

// RFC 5321 §4.5.3.1.6 and RFC 5322 §2.1.1, without CRLF.
constexpr std::size_t kMaxHeaderLine = 998;

constexpr std::array kTakesHeaders = {Event::kValidateSender, Event::kValidateRecipient, Event::kData, Event::kDeliver,
                                      Event::kDeliverMime};

std::optional<std::string> read_rewrite(std::string_view text, mail::Verdict& verdict) {
  if (text.empty()) {
    verdict.rewrite.emplace(std::nullopt);
    return std::nullopt;
  }
  auto mailbox = mail::parse_mailbox(text, mail::Characters::kUtf8);
  if (!mailbox) {
    return fmt::format("\"rewrite\" must be an address without angle brackets, not \"{}\"", printable(text, 80));
  }
  verdict.rewrite.emplace(*std::move(mailbox));
  return std::nullopt;
}

// RFC 5322 §2.2.
bool is_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~' && c != ':'; });
}

bool is_value(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; });
}

std::optional<std::string> check(const mail::AddedHeader& header) {
  if (!is_name(header.name)) {
    return fmt::format("\"{}\" is no name of a header field: printable ASCII without blanks and colons",
                       printable(header.name, 40));
  }
  if (!is_value(header.value)) {
    return fmt::format("the header field \"{}\" must be printable ASCII on one line: encode the rest (RFC 2047)",
                       printable(header.name, 40));
  }
  if (header.value.size() > kMaxHeaderValue || header.name.size() + 2 + header.value.size() > kMaxHeaderLine) {
    return fmt::format("the header field \"{}\" is too long: a value has at most {} octets", printable(header.name, 40),
                       kMaxHeaderValue);
  }
  return std::nullopt;
}

std::optional<std::string> read_headers(const std::string& text, mail::Verdict& verdict) {
  static constexpr std::string_view kShape = "\"add_headers\" must be an array of [\"name\",\"value\"]";
  const Json list = Json::parse(text);
  if (!list.is_array()) return std::string(kShape);
  if (list.size() > kMaxAddedHeaders) return fmt::format("\"add_headers\" has more than {}", kMaxAddedHeaders);
  std::size_t octets = 0;
  for (const Json& pair : list) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
      return std::string(kShape);
    }
    mail::AddedHeader header{.name = pair[0].get<std::string>(), .value = pair[1].get<std::string>()};
    if (auto wrong = check(header)) return wrong;
    octets += header.name.size() + header.value.size();
    verdict.add_headers.push_back(std::move(header));
  }
  if (octets > kMaxAddedHeaderOctets) {
    return fmt::format("\"add_headers\" has more than {} octets", kMaxAddedHeaderOctets);
  }
  return std::nullopt;
}

std::string undeclared(std::string_view key, std::string_view what) {
  return fmt::format("\"{}\" of what the hook did not declare: its reply to hello needs \"modifies\":[\"{}\"]", key,
                     what);
}

}  // namespace

std::optional<std::string> read_modifications(ReplyFields& fields, mail::Verdict& verdict) {
  const auto rewrite = fields.text("rewrite");
  auto headers = fields.json("add_headers");
  if (headers == "null") headers.reset();
  verdict.abrupt = fields.boolean("abrupt").value_or(false);
  if (fields.error()) return *fields.error();
  if (verdict.abrupt && verdict.action != Action::kClose) return "\"abrupt\" goes with the action close only";
  if ((rewrite || headers) && verdict.action != Action::kAccept) {
    return fmt::format("\"{}\" goes with the action accept only", rewrite ? "rewrite" : "add_headers");
  }
  if (rewrite) {
    if (auto wrong = read_rewrite(*rewrite, verdict)) return wrong;
  }
  return headers ? read_headers(*headers, verdict) : std::nullopt;
}

std::optional<std::string> check_modifications(mail::Verdict& verdict, Event event, const Modifies& declared) {
  if (!verdict_counts(event)) {
    verdict.rewrite.reset();
    verdict.add_headers.clear();
    return std::nullopt;
  }
  if (verdict.rewrite) {
    const bool sender = event == Event::kValidateSender;
    if (!sender && event != Event::kValidateRecipient) {
      return fmt::format("\"rewrite\" goes with validate_sender and validate_recipient only, not with {}",
                         to_string(event));
    }
    if (!(sender ? declared.sender : declared.recipient)) return undeclared("rewrite", sender ? "sender" : "recipient");
    if (!sender && !*verdict.rewrite) return "\"rewrite\" of a recipient must be an address";
  }
  if (!verdict.add_headers.empty()) {
    if (std::ranges::find(kTakesHeaders, event) == kTakesHeaders.end()) {
      return fmt::format("\"add_headers\" has no message to go to with {}", to_string(event));
    }
    if (!declared.headers) return undeclared("add_headers", "headers");
  }
  return std::nullopt;
}

}  // namespace hooksmtpd::hook
