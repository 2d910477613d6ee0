#include "hooks/mime/raw_header.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "hooks/mime/gmime_handle.h"
#include "proto/mail/utf8.h"

namespace hooksmtpd::mime {
namespace {

using Json = nlohmann::ordered_json;

std::string base64(std::string_view octets) {
  const Text text(g_base64_encode(reinterpret_cast<const guchar*>(octets.data()), octets.size()));
  return text.get();
}

// RFC 5322 §2.2.3: a line end before a blank is no part of the value.
std::string unfolded(std::string_view raw) {
  std::string value;
  for (const char c : raw) {
    if (c != '\r' && c != '\n') value += c;
  }
  return std::string(trimmed(value));
}

Json header_of(GMimeHeader* header) {
  const char* const given = g_mime_header_get_raw_value(header);
  std::string_view raw = given == nullptr ? "" : given;
  while (raw.ends_with('\n') || raw.ends_with('\r')) raw.remove_suffix(1);
  const Text decoded(g_mime_utils_header_decode_text(nullptr, unfolded(raw).c_str()));
  const Text valid(g_utf8_make_valid(decoded ? decoded.get() : "", -1));
  // Octets that are not UTF-8 become U+FFFD when the tree is written.
  Json entry{g_mime_header_get_raw_name(header), raw, valid.get()};
  if (!mail::is_utf8(raw)) entry.push_back(base64(raw));
  return entry;
}

std::vector<GMimeHeader*> fields_of(GMimeObject* object) {
  std::vector<GMimeHeader*> fields;
  GMimeHeaderList* const list = g_mime_object_get_header_list(object);
  const int count = g_mime_header_list_get_count(list);
  for (int i = 0; i < count; ++i) fields.push_back(g_mime_header_list_get_header_at(list, i));
  return fields;
}

Json to_json(const std::vector<GMimeHeader*>& fields) {
  Json headers = Json::array();
  for (GMimeHeader* const field : fields) headers.push_back(header_of(field));
  return headers;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

Json headers_of(GMimeObject* object) { return to_json(fields_of(object)); }

Json headers_of(GMimeMessage* message, GMimeObject* body) {
  std::vector<GMimeHeader*> fields = fields_of(GMIME_OBJECT(message));
  std::ranges::copy(fields_of(body), std::back_inserter(fields));
  std::ranges::stable_sort(fields, {}, g_mime_header_get_offset);
  return to_json(fields);
}

}  // namespace hooksmtpd::mime
