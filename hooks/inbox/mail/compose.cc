#include "hooks/inbox/mail/compose.h"

#include <fmt/format.h>
#include <gmime/gmime.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "hooks/inbox/mail/addresses.h"
#include "hooks/inbox/mail/digest.h"
#include "hooks/mime/field_text.h"
#include "hooks/mime/gmime_handle.h"
#include "hooks/mime/header.h"

namespace hooksmtpd::inbox {
namespace {

using mime::Object;

constexpr std::size_t kMaxLine = 8000;  // octets of a field's value
constexpr const char* kUtf8 = "utf-8";

struct Signature {
  std::string_view octets, type;
};
constexpr std::array kSignatures{Signature{"\x89PNG\r\n\x1a\n", "image/png"}, Signature{"\xff\xd8\xff", "image/jpeg"},
                                 Signature{"GIF8", "image/gif"}, Signature{"%PDF-", "application/pdf"},
                                 Signature{"PK\x03\x04", "application/zip"}};

std::string type_of(const Draft::File& file) {
  if (!file.type.empty() && !file.type.starts_with("multipart/") && !file.type.starts_with("message/")) {
    return one_line(file.type, kMaxLine);
  }
  const auto begins = [&](const Signature& known) { return file.octets.starts_with(known.octets); };
  const auto found = std::ranges::find_if(kSignatures, begins);
  return std::string(found == kSignatures.end() ? "application/octet-stream" : found->type);
}

// Lines that end with LF, for which GMime writes CRLF; the last one as it is, where it is not the end of the message.
std::string unix_lines(std::string_view text) {
  std::string lines;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    lines += text[i];
  }
  return lines;
}

void fill(GMimePart* part, std::string_view octets) {
  const Object<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(octets.data(), octets.size()));
  const Object<GMimeDataWrapper> content(
      g_mime_data_wrapper_new_with_stream(stream.get(), GMIME_CONTENT_ENCODING_DEFAULT));
  g_mime_part_set_content(part, content.get());
}

Object<GMimeObject> text_part(const char* subtype, std::string_view text) {
  GMimePart* const part = g_mime_part_new_with_type("text", subtype);
  g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "charset", kUtf8);
  fill(part, unix_lines(text));
  g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
  return Object<GMimeObject>(GMIME_OBJECT(part));
}

Object<GMimeObject> file_part(const Draft::File& file) {
  GMimePart* const part = g_mime_part_new();
  const Object<GMimeContentType> type(g_mime_content_type_parse(nullptr, type_of(file).c_str()));
  g_mime_object_set_content_type(GMIME_OBJECT(part), type.get());
  const bool shown = !file.content_id.empty();
  g_mime_object_set_disposition(GMIME_OBJECT(part), shown ? "inline" : "attachment");
  if (shown) g_mime_object_set_content_id(GMIME_OBJECT(part), one_line(file.content_id, kMaxLine).c_str());
  if (!file.filename.empty()) g_mime_part_set_filename(part, one_line(file.filename, kMaxLine).c_str());
  fill(part, file.octets);
  g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_BASE64);
  return Object<GMimeObject>(GMIME_OBJECT(part));
}

// Those of one multipart; a single one stands for itself.
using Parts = std::vector<Object<GMimeObject>>;
Object<GMimeObject> together(const char* subtype, Parts parts) {
  if (parts.size() == 1) return std::move(parts.front());
  GMimeMultipart* const all = g_mime_multipart_new_with_subtype(subtype);
  for (const auto& part : parts) g_mime_multipart_add(all, part.get());
  return Object<GMimeObject>(GMIME_OBJECT(all));
}

// mixed (alternative (plain, related (html, pictures)), files); RFC 2046 §5.1, RFC 2387.
Object<GMimeObject> body_of(const Draft& draft) {
  Parts all, bodies, shown;
  if (!draft.html.empty()) shown.push_back(text_part("html", draft.html));
  Parts files;
  for (const Draft::File& file : draft.files) {
    const bool picture = !file.content_id.empty() && !draft.html.empty();
    (picture ? shown : files).push_back(file_part(file));
  }
  if (!draft.text.empty() || shown.empty()) bodies.push_back(text_part("plain", draft.text));
  if (!shown.empty()) bodies.push_back(together("related", std::move(shown)));
  all.push_back(together("alternative", std::move(bodies)));
  std::ranges::move(files, std::back_inserter(all));
  return together("mixed", std::move(all));
}

void add(GMimeMessage* message, GMimeAddressType type, const Addresses& addresses) {
  for (const Address& one : addresses) {
    const std::string name = one_line(one.name, kMaxLine);
    g_mime_message_add_mailbox(message, type, name.empty() ? nullptr : name.c_str(), one.address.c_str());
  }
}

// What the draft says elsewhere, and what says how the message is made.
bool is_ours(std::string_view name) {
  constexpr std::array<std::string_view, 11> kOurs{
      "From", "To", "Cc", "Bcc", "Reply-To", "Subject", "Date", "Received", "MIME-Version", "Return-Path", "X-Tags"};
  return std::ranges::any_of(kOurs, [&](std::string_view ours) { return mime::same_name(ours, name); }) ||
         mime::lower_case(name).starts_with("content-");
}

bool is_field_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f' && c != ':'; });
}

std::optional<std::string> problem_of(const Draft& draft) {
  for (const Addresses& list : {Addresses{draft.from}, draft.to, draft.cc, draft.bcc, draft.reply_to}) {
    for (const Address& one : list) {
      if (!is_address(one.address)) return fmt::format("invalid address: \"{}\"", one.address);
    }
  }
  for (const auto& [name, value] : draft.headers) {
    if (!is_field_name(name)) return fmt::format("invalid header name: \"{}\"", name);
    if (is_ours(name)) return fmt::format("cannot overwrite header: \"{}\"", name);
  }
  return std::nullopt;
}

std::string joined(const std::vector<std::string>& tags) {
  std::string line;
  for (const std::string& tag : tags) line.append(line.empty() ? "" : ", ").append(one_line(tag, kMaxTag));
  return line;
}

std::string octets_of(GMimeMessage* message) {
  const std::unique_ptr<GMimeFormatOptions, mime::Release<g_mime_format_options_free>> format(
      g_mime_format_options_new());
  g_mime_format_options_set_newline_format(format.get(), GMIME_NEWLINE_FORMAT_DOS);
  const mime::Text text(g_mime_object_to_string(GMIME_OBJECT(message), format.get()));
  return text.get();
}

// A message of one text ends as that text does (RFC 5322 §3.5): GMime ends its last line, and there is no boundary
// before which that would mean nothing. An equals sign there is a soft line break, all others are encoded (RFC 2045
// §6.7).
void end_as_written(const Draft& draft, std::string& octets) {
  const std::string& last = draft.html.empty() ? draft.text : draft.html;
  const bool one_text = draft.files.empty() && (draft.text.empty() || draft.html.empty());
  if (!one_text || last.empty() || last.ends_with('\n') || !octets.ends_with("\r\n")) return;
  octets.resize(octets.size() - 2);
  if (octets.ends_with('=')) octets.pop_back();
}

}  // namespace

bool is_address(const std::string& text) {
  if (text.size() > 1000 || !text.contains('@') || text.starts_with('@') || text.ends_with('@')) return false;
  return std::ranges::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || std::string_view("<>,;:()\\\"").contains(c);
  });
}

std::expected<std::string, std::string> compose(const Draft& draft) {
  if (auto problem = problem_of(draft)) return std::unexpected(*std::move(problem));
  const Object<GMimeMessage> message(g_mime_message_new(TRUE));
  add(message.get(), GMIME_ADDRESS_TYPE_FROM, {draft.from});
  add(message.get(), GMIME_ADDRESS_TYPE_TO, draft.to);
  add(message.get(), GMIME_ADDRESS_TYPE_CC, draft.cc);
  add(message.get(), GMIME_ADDRESS_TYPE_BCC, draft.bcc);
  add(message.get(), GMIME_ADDRESS_TYPE_REPLY_TO, draft.reply_to);
  g_mime_message_set_subject(message.get(), one_line(draft.subject, kMaxLine).c_str(), kUtf8);
  const std::unique_ptr<GDateTime, mime::Release<g_date_time_unref>> date(g_date_time_new_now_utc());
  g_mime_message_set_date(message.get(), date.get());
  const std::string domain = draft.from.address.substr(draft.from.address.rfind('@') + 1);
  const mime::Text id(g_mime_utils_generate_message_id(domain.c_str()));
  g_mime_message_set_message_id(message.get(), id.get());
  const auto append = [&](const char* name, const std::string& value) {
    g_mime_object_append_header(GMIME_OBJECT(message.get()), name, value.c_str(), kUtf8);
  };
  if (!draft.tags.empty()) append("X-Tags", joined(draft.tags));
  for (const auto& [name, value] : draft.headers) {
    if (mime::same_name(name, "Message-ID")) g_mime_object_remove_header(GMIME_OBJECT(message.get()), "Message-ID");
    append(name.c_str(), one_line(value, kMaxLine));
  }
  g_mime_message_set_mime_part(message.get(), body_of(draft).get());
  std::string octets = octets_of(message.get());
  end_as_written(draft, octets);
  return octets;
}

}  // namespace hooksmtpd::inbox
