#include "hooks/inbox/page/frame.h"

#include <algorithm>
#include <array>
#include <optional>

namespace hooksmtpd::inbox::page {
namespace {

constexpr std::array<std::string_view, 11> kLoaders{"applet", "base", "embed", "fencedframe", "frame", "frameset",
                                                    "iframe", "link", "meta",  "object",      "portal"};

constexpr std::string_view kOwnWindow = R"(<base target="_blank">)";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool starts_with(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && std::ranges::equal(text.substr(0, word.size()), word, {}, lower);
}

// The tag ends its name here (HTML §13.2.5.8); a letter more, and it is another element.
bool ends_name(std::string_view rest) { return rest.empty() || std::string_view("\t\n\f\r />").contains(rest.front()); }

// After "<" or "</".
bool names_loader(std::string_view rest) {
  return std::ranges::any_of(
      kLoaders, [&](std::string_view name) { return starts_with(rest, name) && ends_name(rest.substr(name.size())); });
}

// Octets of the tag NAME, from its "<"; 0: there is none here.
std::size_t tag(std::string_view text, std::string_view name) {
  if (!starts_with(text, name) || !ends_name(text.substr(name.size()))) return 0;
  const std::size_t end = text.find('>');
  return end == std::string_view::npos ? 0 : end + 1;
}

// Where something can stand that belongs to the head, without turning the document into one of quirks mode: behind its
// doctype, html and head, as far as they are there.
std::size_t head_of(std::string_view html) {
  std::size_t at = html.starts_with("\xef\xbb\xbf") ? 3 : 0;
  for (const std::string_view name : {"<!doctype", "<html", "<head"}) {
    const std::size_t begin = std::min(html.find_first_not_of(" \t\r\n\f", at), html.size());
    if (const std::size_t length = tag(html.substr(begin), name); length > 0) at = begin + length;
  }
  return at;
}

int hexadecimal(char c) {
  const std::size_t value = std::string_view("0123456789abcdef").find(lower(c));
  return value == std::string_view::npos ? -1 : static_cast<int>(value);
}

// Octets of `text` that spell `id` as a URL in an attribute does (RFC 2392 §2): percent signs, and "&amp;".
std::optional<std::size_t> spelled(std::string_view text, std::string_view id) {
  const std::size_t begin = text.size();
  for (const char c : id) {
    if (c == '&' && starts_with(text, "&amp;")) {
      text.remove_prefix(5);
    } else if (text.starts_with(c)) {
      text.remove_prefix(1);
    } else if (text.size() > 2 && text[0] == '%' &&
               hexadecimal(text[1]) * 16 + hexadecimal(text[2]) == static_cast<unsigned char>(c)) {
      text.remove_prefix(3);
    } else {
      return std::nullopt;
    }
  }
  return begin - text.size();
}

struct Found {
  const InlinePart* part = nullptr;
  std::size_t length = 0;  // octets that name it
};

// The part whose id `text` begins with; of several the one with the longest.
Found find_part(std::string_view text, std::span<const InlinePart> parts) {
  Found found;
  for (const InlinePart& part : parts) {
    const auto length = spelled(text, part.content_id);
    if (length && *length > found.length) found = {.part = &part, .length = *length};
  }
  return found;
}

void rewrite(std::string_view html, std::span<const InlinePart> parts, std::string& out) {
  while (!html.empty()) {
    const std::size_t name = html.starts_with("</") ? 2 : 1;
    std::size_t taken = std::min(html.find_first_of("<cC", 1), html.size());
    if (html.front() == '<' && names_loader(html.substr(std::min(name, html.size())))) {
      out += name == 2 ? "</x-" : "<x-";
      out += html.substr(name, taken - name);
    } else if (const Found found = starts_with(html, "cid:") ? find_part(html.substr(4), parts) : Found{}; found.part) {
      out += found.part->url;
      taken = 4 + found.length;
    } else {
      out += html.substr(0, taken);
    }
    html.remove_prefix(taken);
  }
}

}  // namespace

std::string frame_policy(Remote remote) {
  std::string policy =
      "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
      "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; img-src 'self' data:";
  if (remote == Remote::kPictures) policy += " https: http:";
  return policy;
}

std::string frame_document(std::string_view html, std::span<const InlinePart> parts) {
  std::string out;
  out.reserve(html.size() + html.size() / 16 + kOwnWindow.size());
  const std::size_t head = head_of(html);
  rewrite(html.substr(0, head), parts, out);
  out += kOwnWindow;
  rewrite(html.substr(head), parts, out);
  return out;
}

}  // namespace hooksmtpd::inbox::page
