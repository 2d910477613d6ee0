// The reply to hello: what a hook says of itself.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proto/hook/printable.h"
#include "proto/hook/reply.h"
#include "proto/hook/reply_fields.h"
#include "proto/hook/reply_line.h"

namespace hooksmtpd::hook {
namespace {

using reply_line::broken;

// Each of these reads one key, and says what is wrong with it.

std::optional<std::string> read_declined(ReplyFields& fields, HelloReply& reply) {
  for (const std::string& event : fields.list("decline")) {
    if (event == to_string(Event::kReset)) {
      reply.wants_reset = false;
    } else if (event == to_string(Event::kCancel)) {
      reply.wants_cancel = false;
    } else {
      return fmt::format("\"{}\" cannot be declined", printable(event, 40));
    }
  }
  return std::nullopt;
}

// A program may handle events of a later minor version.
void read_events(ReplyFields& fields, HelloReply& reply) {
  if (!fields.has("events")) return fields.skip("events");
  reply.events.emplace();
  for (const std::string& name : fields.list("events")) {
    if (const auto event = parse_event(name)) reply.events->push_back(*event);
  }
}

std::optional<std::string> read_body(ReplyFields& fields, HelloReply& reply) {
  const std::string body = fields.text("body").value_or("path");
  reply.inline_body = body == "inline";
  if (reply.inline_body || body == "path") return std::nullopt;
  return fmt::format("\"body\" must be \"path\" or \"inline\", not \"{}\"", printable(body, 40));
}

std::optional<std::string> read_modifies(ReplyFields& fields, HelloReply& reply) {
  for (const std::string& what : fields.list("modifies")) {
    if (what == "sender") {
      reply.modifies.sender = true;
    } else if (what == "recipient") {
      reply.modifies.recipient = true;
    } else if (what == "headers") {
      reply.modifies.headers = true;
    } else {
      return fmt::format("\"modifies\" may have \"sender\", \"recipient\" and \"headers\", not \"{}\"",
                         printable(what, 40));
    }
  }
  return std::nullopt;
}

// All of it but the id.
std::optional<std::string> read(ReplyFields& fields, HelloReply& reply) {
  reply.ready = fields.boolean("ready").value_or(true);
  for (const std::string& part : fields.list("text")) reply.text.append(reply.text.empty() ? "" : " ").append(part);
  const auto concurrency = fields.number("concurrency").value_or(1);
  reply.stores = fields.boolean("stores").value_or(false);
  if (auto wrong = read_declined(fields, reply)) return wrong;
  read_events(fields, reply);
  if (auto wrong = read_body(fields, reply)) return wrong;
  reply.dialogue = fields.boolean("dialogue").value_or(false);
  if (auto wrong = read_modifies(fields, reply)) return wrong;
  reply.name = fields.text("name").value_or("");
  reply.version = fields.text("version").value_or("");
  const auto version = fields.number("v").value_or(kMajorVersion);
  // Those of any other reply mean nothing here.
  for (const auto key : {"action", "code", "enhanced", "delay_ms", "notes", "add_headers", "rewrite", "abrupt"}) {
    fields.skip(key);
  }
  if (fields.error()) return *fields.error();
  if (fields.has("event")) return "it gives the request back instead of a reply";
  if (version != kMajorVersion) {
    return fmt::format("it speaks version {} of the protocol, this is {}", version, kMajorVersion);
  }
  if (concurrency == 0) return "\"concurrency\" must be at least 1";
  reply.concurrency = static_cast<std::uint32_t>(std::min<std::uint64_t>(concurrency, kMaxConcurrency));
  reply.unknown_keys = fields.unknown();
  return std::nullopt;
}

}  // namespace

std::expected<HelloReply, ReplyError> parse_hello_reply(std::string_view line) {
  line = reply_line::trim(line);
  if (!reply_line::begins_like_json(line)) {
    auto words = parse_reply(line);
    if (!words) return std::unexpected(std::move(words.error()));
    return HelloReply();
  }
  auto fields = reply_line::parse_object(line, Speaker::kHook);
  if (!fields) return std::unexpected(std::move(fields.error()));
  HelloReply reply{.id = fields->number("id")};
  if (auto wrong = read(*fields, reply)) return broken(reply.id, std::move(*wrong));
  return reply;
}

}  // namespace hooksmtpd::hook
