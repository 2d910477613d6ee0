#include "hooks/inbox/api/inject.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <glib.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "hooks/inbox/api/asked.h"
#include "hooks/inbox/mail/digest.h"

namespace hooksmtpd::inbox {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kTraceFields = 2;
constexpr const char* kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n";

std::string text(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return {};
  if (!found->is_string()) bad_request(fmt::format("{} must be a string", key));
  return *found;
}

Json list(const Json& json, const char* key) {
  Json found = json.value(key, Json());
  if (found.is_null()) return Json::array();
  if (!found.is_array()) bad_request(fmt::format("{} must be an array", key));
  return found;
}

Address read_address(const Json& json, const Spelling& spelling) {
  if (json.is_string()) return {.name = "", .address = json};
  if (!json.is_object()) bad_request("an address must be an object or a string");
  return {.name = text(json, spelling.name), .address = text(json, spelling.address)};
}

Addresses read_addresses(const Json& json, const char* key, const Spelling& spelling) {
  Addresses addresses;
  for (const Json& each : list(json, key)) addresses.push_back(read_address(each, spelling));
  return addresses;
}

// Also behind the comma of a data: URL.
std::string from_base64(const std::string& encoded, const std::string& filename) {
  const std::string plain = encoded.substr(encoded.rfind(',') + 1);
  if (plain.find_first_not_of(kBase64) != std::string::npos) {
    bad_request(fmt::format("the content of the attachment \"{}\" is not base64", filename));
  }
  gsize size = 0;
  const std::unique_ptr<guchar, void (*)(gpointer)> octets(g_base64_decode(plain.c_str(), &size), g_free);
  return {reinterpret_cast<const char*>(octets.get()), size};
}

Draft::File read_file(const Json& json, const Spelling& spelling) {
  if (!json.is_object()) bad_request("an attachment must be an object");
  Draft::File file{.filename = text(json, spelling.filename),
                   .type = text(json, spelling.type),
                   .content_id = text(json, spelling.content_id),
                   .octets = {}};
  file.octets = from_base64(text(json, spelling.content), file.filename);
  return file;
}

std::string trace_fields(const Context& context, const std::string& from, const std::string& id) {
  const std::string host = context.facts.hostname.empty() ? "localhost" : context.facts.hostname;
  const auto time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format(
      "Return-Path: <{}>\r\nReceived: by {} (hooksmtpd inbox) with HTTP\r\n\tid {}; {:%a, %d %b %Y %H:%M:%S} +0000\r\n",
      from, host, id, fmt::gmtime(time));
}

}  // namespace

Draft read_draft(const Json& json, const Spelling& spelling) {
  Draft draft;
  draft.to = read_addresses(json, spelling.to, spelling);
  draft.cc = read_addresses(json, spelling.cc, spelling);
  draft.bcc = read_addresses(json, spelling.bcc, spelling);
  draft.reply_to = read_addresses(json, spelling.reply_to, spelling);
  draft.subject = text(json, spelling.subject);
  draft.text = text(json, spelling.text);
  draft.html = text(json, spelling.html);
  if (!json.contains(spelling.from)) bad_request(fmt::format("{} is missing", spelling.from));
  draft.from = read_address(json.at(spelling.from), spelling);
  const Json headers = json.value(spelling.headers, Json());
  if (!headers.is_null() && !headers.is_object()) bad_request(fmt::format("{} must be an object", spelling.headers));
  for (const auto& [name, value] : headers.items()) draft.headers.emplace_back(name, text(headers, name.c_str()));
  for (const Json& each : list(json, spelling.tags)) draft.tags.push_back(each);
  for (const Json& each : list(json, spelling.attachments)) draft.files.push_back(read_file(each, spelling));
  return draft;
}

Injection injection_of(const Draft& draft) {
  auto octets = compose(draft);
  if (!octets) bad_request(octets.error());
  Injection injection{.from = draft.from.address, .to = {}, .octets = *std::move(octets)};
  for (const Addresses* list : {&draft.to, &draft.cc, &draft.bcc}) {
    for (const Address& one : *list) injection.to.push_back(one.address);
  }
  return injection;
}

void fill_envelope(Injection& injection) {
  const Digest digest = digest_of(injection.octets, {.utf8 = true});
  if (injection.from.empty() && digest.from && is_address(digest.from->address)) injection.from = digest.from->address;
  if (!injection.to.empty()) return;
  for (const Addresses* list : {&digest.to, &digest.cc, &digest.bcc}) {
    for (const Address& one : *list) injection.to.push_back(one.address);
  }
}

void inject(Context& context, Injection injection, Injected then) {
  const std::string id = new_id();
  injection.octets.insert(0, trace_fields(context, injection.from, id));
  const auto octets = std::make_shared<const std::string>(std::move(injection.octets));
  NewMessage message{.id = id, .received = now(), .mailbox = {}, .digest = {}, .arrival = {}};
  message.arrival.from = injection.from;
  message.arrival.to = std::move(injection.to);
  message.arrival.trace_headers = kTraceFields;
  message.digest = digest_of(*octets, {.utf8 = true, .of_hooks = kTraceFields});
  message.mailbox = mailbox_of(context.options.mailboxes, message.arrival);
  message.tags = message.digest.tags;
  message.octets = *octets;
  message.owner = octets;
  context.store.add(std::move(message), [id, then = std::move(then)](const std::optional<WriteFailure>& failure) {
    if (failure) return then(std::unexpected(*failure));
    then(id);
  });
}

}  // namespace hooksmtpd::inbox
