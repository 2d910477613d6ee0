// libFuzzer: a client's bytes in every place of a request that a client fills. What comes out is one line of JSON in
// ASCII without a key twice, and nothing of what was put in is lost. What a hook finds in it without a parser
// (request_line.h) is what a parser finds.

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "proto/hook/json_writer.h"
#include "proto/hook/request.h"
#include "proto/hook/request_line.h"
#include "proto/mail/utf8.h"

using namespace hooksmtpd;
using Json = nlohmann::ordered_json;

namespace {

// Pieces of the input, cut at LF, which no value holds.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : text_(text) {}

  std::string next() {
    const std::size_t end = std::min(text_.find('\n'), text_.size());
    const std::string piece(text_.substr(0, end));
    text_.remove_prefix(std::min(end + 1, text_.size()));
    return piece;
  }

 private:
  std::string_view text_;
};

// JSON in which no object has a key twice.
Json parse(std::string_view text) {
  std::vector<std::set<std::string>> objects;
  return Json::parse(text, [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) objects.emplace_back();
    if (event == Json::parse_event_t::key) assert(objects.back().insert(parsed).second);
    if (event == Json::parse_event_t::object_end) objects.pop_back();
    return true;
  });
}

// The subject of a request, and that it is what was asked about.
void check(const std::string& line, const char* subject, std::string_view value) {
  assert(line.ends_with("\n"));
  const std::string_view body = std::string_view(line).substr(0, line.size() - 1);
  assert(std::ranges::all_of(body, [](char c) { return c >= ' ' && c <= '~'; }));
  const Json json = parse(body);
  assert((--json.end()).key() == subject);
  const bool clean = mail::is_utf8(value);
  assert(json.contains(std::string(subject) + "_b64") == !clean);
  assert(!clean || json[subject] == value);
}

// Events whose subject is what a client said.
void check_events(const hook::SessionFacts& session, std::string_view value) {
  std::string line;
  if (append_request(line, 4, hook::Helo{.session = session, .verb = "EHLO", .name = value}))
    check(line, "name", value);
  line.clear();
  if (append_request(line, 5, hook::Command{.session = session, .line = value})) check(line, "line", value);
  line.clear();
  if (append_request(line, 6, hook::Starttls{.session = session})) {
    const Json json = parse(line);
    assert((--json.end()).key() == "tls" && (mail::is_utf8(value) || json["tls"].contains("client_subject_b64")));
  }
}

std::string decoded(std::string_view base64) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : base64.substr(0, base64.find('='))) {
    bits = bits << 6 | static_cast<unsigned>(kAlphabet.find(c));
    count += 6;
    if (count >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 0xff);
  }
  return bytes;
}

// The message that is found without a parser, and the rest of the line with one.
void check_parts(std::string_view event, const std::string& line) {
  const std::string_view text = std::string_view(line).substr(0, line.size() - 1);
  const auto beginning = hook::parse_beginning(text);
  assert(beginning && beginning->event == event);
  const auto parts = hook::find_message(event, text);
  assert(parts);
  Json json = parse(text);
  assert(json["id"] == beginning->id);
  static constexpr const char* kKeys[] = {"path", "data", "data_b64"};
  const char* const key = kKeys[static_cast<int>(parts->body.kind)];
  assert(hook::unescaped(parts->body.value) == json["message"][key].get<std::string>());
  json["message"].erase(key);
  assert(parse(std::string(parts->facts) + "}}") == json);
  json.erase("message");
  assert(parse(std::string(parts->head) + "}") == json);
}

// A dialogue likewise.
void check_dialogue(const hook::SessionFacts& session, std::string_view value) {
  std::string dialogue = "[";
  hook::JsonWriter writer(dialogue);
  writer.begin_object();
  writer.text("line", value);
  writer.end_object();
  writer.end_array();
  std::string line;
  if (!append_request(line, 10, hook::Disconnect{.session = session, .dialogue = dialogue})) return;
  line.pop_back();
  const auto told = hook::find_dialogue(line);
  assert(told && told->dialogue == dialogue);
  Json json = parse(line);
  assert(json["dialogue"] == Json::parse(dialogue));
  json.erase("dialogue");
  assert(parse(told->facts) == json);
}

// A message comes through whole, in the line or by its path, and so does a tree that somebody else made.
void check_messages(const hook::SessionFacts& session, const mail::Envelope& envelope, std::string_view body) {
  std::string line;
  if (append_request(line, 7, hook::Data{.session = session, .transaction = "t", .envelope = envelope})) {
    assert((--parse(line).end()).key() == "to");
  }
  hook::Deliver deliver{.session = session,
                        .transaction = "t",
                        .envelope = envelope,
                        .received_at = "",
                        .message = {.size = body.size(), .path = "/spool/t.eml"}};
  if (hook::fits_inline(body)) deliver.message.inline_body = body;
  line.clear();
  if (append_request(line, 8, deliver)) {
    const Json json = parse(line), &message = json["message"];
    assert(json["to"].size() == 2 && json["to_params"].size() == 2);
    if (message.contains("data")) assert(message["data"] == body);
    if (message.contains("data_b64")) assert(decoded(message["data_b64"].get<std::string>()) == body);
    assert(message.contains("path") == !hook::fits_inline(body));
    check_parts("deliver", line);
  }
  const Json tree = Json::parse(body, nullptr, false);
  if (!tree.is_object() || !mail::is_utf8(body) || body.contains('\0')) return;  // which the parser takes for the end
  line.clear();
  if (append_request(line, 9, hook::DeliverMime{.deliver = deliver, .mime = body})) {
    assert(Json::parse(line)["mime"] == tree);
    check_parts("deliver_mime", line);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Pieces pieces({reinterpret_cast<const char*>(data), size});
  const std::string helo = pieces.next(), user = pieces.next(), secret = pieces.next(), value = pieces.next();
  const mail::Mailbox mailbox{.local_part = pieces.next(), .domain = pieces.next()};
  const hook::SessionFacts session{
      .id = "c7f3a1",
      .listener = "smtp",
      .client = {.ip = "192.0.2.7", .port = 51514},
      .server = {.ip = "192.0.2.1", .port = 25},
      .helo = helo,
      .protocol = "ESMTPSA",
      .tls =
          hook::TlsFacts{
              .version = "TLSv1.3", .cipher = "x", .bits = 256, .server_name = helo, .client_subject = value},
      .user = user};
  const mail::Recipient recipient{.mailbox = mailbox, .params = {{"NOTIFY", value}, {"X", ""}}};

  std::string line;
  if (hook::append_request(
          line, 1,
          hook::Auth{
              .session = session, .mechanism = "PLAIN", .authorization_id = value, .user = user, .password = secret})) {
    check(line, "user", user);
  }
  line.clear();
  if (hook::append_request(
          line, 2,
          hook::ValidateRecipient{
              .session = session, .transaction = "t", .from = mailbox, .accepted = 0, .to = recipient})) {
    check(line, "address", to_string(mailbox));
  }
  check_events(session, value);
  check_dialogue(session, value);
  const mail::Envelope envelope{
      .reverse_path = mailbox, .params = recipient.params, .recipients = {recipient, recipient}};
  check_messages(session, envelope, {reinterpret_cast<const char*>(data), size});
  return 0;
}
