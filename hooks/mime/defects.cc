#include "hooks/mime/defects.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace hooksmtpd::mime {
namespace {

// The value that is to blame, cut; JSON escapes the rest.
std::string quoted(const char* item) {
  constexpr std::size_t kShown = 60;
  const std::string_view text(item == nullptr ? "" : item);
  return fmt::format("\"{}{}\"", text.substr(0, kShown), text.size() > kShown ? "…" : "");
}

std::string sentence(GMimeParserWarning what, const char* item) {
  switch (what) {
    case GMIME_WARN_DUPLICATED_HEADER:
      return fmt::format("the header field {} stands there twice", quoted(item));
    case GMIME_WARN_DUPLICATED_PARAMETER:
      return fmt::format("the parameter {} stands there twice", quoted(item));
    case GMIME_WARN_UNENCODED_8BIT_HEADER:
      return fmt::format("a header field has octets above 127 that are not encoded: {}", quoted(item));
    case GMIME_WARN_INVALID_CONTENT_TYPE:
      return fmt::format("{} is no content type", quoted(item));
    case GMIME_WARN_INVALID_RFC2047_HEADER_VALUE:
      return fmt::format("{} is no encoded word (RFC 2047)", quoted(item));
    case GMIME_WARN_MALFORMED_MULTIPART:
      return "a multipart has no parts";
    case GMIME_WARN_TRUNCATED_MESSAGE:
      return "the message ends too early: a boundary is never closed";
    case GMIME_WARN_MALFORMED_MESSAGE:
      return "its structure is malformed";
    case GMIME_CRIT_INVALID_HEADER_NAME:
      return fmt::format("{} is no header field: what follows may be misread", quoted(item));
    case GMIME_CRIT_CONFLICTING_HEADER:
      return fmt::format("the header field {} stands there twice, and not the same", quoted(item));
    case GMIME_CRIT_CONFLICTING_PARAMETER:
      return fmt::format("the parameter {} stands there twice, and not the same", quoted(item));
    case GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY:
      return "a multipart names no boundary";
    case GMIME_WARN_INVALID_PARAMETER:
      return fmt::format("{} is no parameter", quoted(item));
    case GMIME_WARN_INVALID_ADDRESS_LIST:
      return fmt::format("{} is no list of addresses", quoted(item));
    case GMIME_CRIT_NESTING_OVERFLOW:
      return "parts are nested too deep to be read";
    case GMIME_WARN_PART_WITHOUT_CONTENT:
      return "the header of a part is ended by a boundary";
    case GMIME_CRIT_PART_WITHOUT_HEADERS_OR_CONTENT:
      return "a part is empty";
  }
  return "something is wrong";
}

void on_warning(gint64, GMimeParserWarning what, const gchar* item, gpointer defects) {
  add_defect(*static_cast<std::vector<std::string>*>(defects), sentence(what, item));
}

}  // namespace

void add_defect(std::vector<std::string>& defects, std::string sentence) {
  if (defects.size() >= kMaxDefects || std::ranges::find(defects, sentence) != defects.end()) return;
  defects.push_back(std::move(sentence));
}

Options reporting_to(std::vector<std::string>& defects) {
  Options options(g_mime_parser_options_new());
  g_mime_parser_options_set_warning_callback(options.get(), on_warning, &defects);
  return options;
}

}  // namespace hooksmtpd::mime
