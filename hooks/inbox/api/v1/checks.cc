#include <nlohmann/json.hpp>
#include <string>

#include "hooks/inbox/api/asked.h"
#include "hooks/inbox/api/v1/handlers.h"
#include "hooks/inbox/api/v1/shapes.h"
#include "hooks/inbox/mail/document.h"

namespace hooksmtpd::inbox::v1 {
namespace {

constexpr std::size_t kMaxChecked = 4 * 1024 * 1024;  // octets of HTML

// "<video>, <audio>" -> "video-audio".
std::string slug_of(const std::string& title) {
  std::string slug;
  for (const char c : title) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool plain = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (plain) slug += lower;
    if (!plain && !slug.empty() && !slug.ends_with('-')) slug += '-';
  }
  if (slug.ends_with('-')) slug.pop_back();
  return slug;
}

// What is known is that some programs do not show it as it is meant, and which ones, in words.
Json warning(const Json& note) {
  return {{"Slug", slug_of(note.at("what"))},
          {"Title", note.at("what")},
          {"Description", note.at("why")},
          {"URL", ""},
          {"Category", "html"},
          {"Tags", Json::array()},
          {"Keywords", ""},
          {"Results", Json::array()},
          {"NotesByNumber", Json::object()},
          {"Score", {{"Found", 1}, {"Supported", 0}, {"Partial", 100}, {"Unsupported", 0}}}};
}

}  // namespace

void check_html(Context& context, Exchange& exchange, const std::string& id) {
  const Opened opened = open(context, id);
  const auto* const html = opened.body("text/html");
  if (!html) bad_request("message does not contain HTML");
  const std::string text = opened.text(*html, kMaxChecked);
  Json warnings = Json::array();
  for (const Json& note : notes_on(text)) warnings.push_back(warning(note));
  const double partial = 100.0 * static_cast<double>(warnings.size()) / static_cast<double>(known_notes());
  exchange.reply(Json{{"Platforms", Json::object()},
                      {"Total",
                       {{"Tests", known_notes()},
                        {"Nodes", elements_in(text)},
                        {"Supported", 100 - partial},
                        {"Partial", partial},
                        {"Unsupported", 0}}},
                      {"Warnings", std::move(warnings)}});
}

// The inbox has no network: it names the links and fetches none.
void check_links(Context& context, Exchange& exchange, const std::string& id) {
  Json links = Json::array();
  for (const Json& link : links_of(open(context, id))) {
    links.push_back({{"URL", link.at("url")}, {"StatusCode", 0}, {"Status", "not fetched"}});
  }
  exchange.reply(Json{{"Errors", 0}, {"Links", std::move(links)}});
}

// As Mailpit does without SpamAssassin.
void check_spam(Context& context, Exchange& exchange, const std::string& id) {
  message_of(context, id);
  exchange.reply(Problem{400, "Bad Request", "no SpamAssassin service defined"});
}

}  // namespace hooksmtpd::inbox::v1
