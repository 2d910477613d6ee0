// libFuzzer: a client's bytes in every place of a request that a client fills. What comes out is one line of JSON in
// ASCII without a key twice, and nothing of what was put in is lost.

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "proto/hook/request.h"
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
  line.clear();
  const mail::Envelope envelope{
      .reverse_path = mailbox, .params = recipient.params, .recipients = {recipient, recipient}};
  if (hook::append_request(line, 3,
                           hook::Deliver{.session = session,
                                         .transaction = "t",
                                         .envelope = envelope,
                                         .received_at = "",
                                         .message = {.size = size, .path = "/spool/t.eml"}})) {
    const Json json = parse(line);
    assert(json["to"].size() == 2 && json["to_params"].size() == 2);
  }
  return 0;
}
