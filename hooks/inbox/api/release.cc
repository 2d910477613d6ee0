#include "hooks/inbox/api/release.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "hooks/inbox/api/asked.h"
#include "hooks/inbox/hook/neighbour.h"
#include "hooks/inbox/mail/compose.h"
#include "hooks/mime/field_text.h"

namespace hooksmtpd::inbox {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::seconds kLimit{120};  // longer than the relay hook waits for its next server
constexpr std::size_t kMostRecipients = 100;

// Takes a line off the front, with its end.
std::string_view take_line(std::string_view& text) {
  const std::size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
  const std::string_view line = text.substr(0, size);
  text.remove_prefix(size);
  return line;
}

// RFC 5322 §3.6.3: those who get a blind copy are not named to the others.
std::string without_bcc(std::string_view octets) {
  std::string out;
  bool hidden = false;
  while (!octets.empty()) {
    const std::string_view line = take_line(octets);
    if (line == "\r\n" || line == "\n") {
      out.append(line).append(octets);
      break;
    }
    const bool continues = line.front() == ' ' || line.front() == '\t';
    const std::string name = mime::lower_case(line.substr(0, line.find(':')));
    if (!continues) hidden = name == "bcc" || name == "resent-bcc";
    if (!hidden) out.append(line);
  }
  return out;
}

// A number, a text, or a text of several lines.
std::string text_of(const Json& json) {
  if (json.is_string()) return json;
  if (!json.is_array()) return to_text(json);
  std::string all;
  for (const Json& line : json) all.append(all.empty() ? "" : " / ").append(text_of(line));
  return all;
}

// The answer is a reply of the hook protocol.
std::optional<Problem> problem_in(const Json& answer) {
  if (answer.contains("action") && answer["action"] == "accept") return std::nullopt;
  std::string said = "the relay hook says:";
  for (const char* const key : {"code", "enhanced", "text"}) {
    if (const auto found = answer.find(key); found != answer.end()) said.append(1, ' ').append(text_of(*found));
  }
  return Problem{502, "It was not released", std::move(said)};
}

}  // namespace

void release(const Context& context, const std::string& id, const std::vector<std::string>& to, Released released) {
  if (context.options.relay.empty()) {
    throw ProblemError({501, "Not Implemented", "release is not configured: the option `relay` names no relay hook"});
  }
  const Message message = message_of(context, id);
  if (to.empty() || to.size() > kMostRecipients)
    bad_request(fmt::format("`to` must have 1 to {} addresses", kMostRecipients));
  for (const std::string& one : to) {
    if (!is_address(one)) bad_request(fmt::format("invalid address: \"{}\"", one));
  }
  std::string octets;
  context.store.reader().raw(id, [&](std::string_view raw) { octets = without_bcc(raw); });
  std::string question = Json{{"from", message.arrival.from}, {"to", to}, {"size", octets.size()}}.dump();
  question.append(1, '\n').append(octets);
  ask_neighbour(
      context.base, context.options.relay, question, kLimit, [released = std::move(released)](const auto& answer) {
        if (answer) return released(problem_in(*answer));
        released(
            Problem{502, "It was not released", fmt::format("the relay hook does not answer: {}", answer.error())});
      });
}

}  // namespace hooksmtpd::inbox
