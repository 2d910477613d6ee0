#include "hooks/inbox/mail/digest.h"

#include <algorithm>
#include <iterator>

#include "hooks/inbox/mail/addresses.h"
#include "hooks/inbox/mail/html.h"
#include "hooks/mime/bodies.h"
#include "hooks/mime/body_decoder.h"
#include "hooks/mime/charset.h"
#include "hooks/mime/encoded_words.h"
#include "hooks/mime/field_text.h"
#include "hooks/mime/structure.h"

namespace hooksmtpd::inbox {
namespace {

using mime::Node;

constexpr std::size_t kMaxSubject = 2000;  // octets
constexpr std::size_t kMaxSnippet = 250;
constexpr std::size_t kMaxMailbox = 64;
constexpr std::size_t kMaxTags = 50;

// What a walk through the parts finds.
struct Findings {
  std::string_view octets;  // of the message
  Digest& digest;
  std::string plain{}, html{};

  void look_at(const Node& node) {
    digest.broken = digest.broken || !node.defects.empty();
    for (const auto& part : node.parts) look_at(*part);
    if (node.content.is_multipart()) return;
    if (is_attachment(node)) {
      ++digest.attachments;
      if (node.content.filename) digest.files.push_back(*node.content.filename);
    }
    if (node.message) {
      look_at_message(*node.message);
    } else if (node.content.is_text() && !is_attachment(node)) {
      read(node);
    }
  }

  // Of a message within it, the subject is searched as well.
  void look_at_message(const Node& message) {
    if (const auto subject = message.header.find("Subject")) {
      plain += mime::decode_words(mime::unfolded(*subject)).text + "\n";
    }
    const std::uint32_t attachments = digest.attachments;
    look_at(message);
    digest.attachments = attachments;  // those are that message's
  }

  void read(const Node& node) {
    const bool is_html = node.content.type == "text/html";
    digest.html = digest.html || is_html;
    std::string& text = is_html ? html : plain;
    if (text.size() >= kMaxSearched) return;
    std::string part;
    if (!read_text(octets, node, kMaxSearched - text.size(), part)) digest.broken = true;
    text += is_html ? text_of_html(part, kMaxSearched - text.size()) : part;
    text += '\n';
  }
};

// At most `most` octets of valid UTF-8, and no half character.
std::size_t beginning(std::string_view text, std::size_t most) {
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return most;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

Addresses addresses_in(const Node& root, std::string_view field) {
  Addresses all;
  for (std::size_t i = 0; i < root.header.size() && all.size() < kMostAddresses; ++i) {
    if (!mime::same_name(root.header[i].name, field)) continue;
    std::ranges::move(parse_addresses(root.header[i].raw), std::back_inserter(all));
  }
  return all;
}

std::string_view without_brackets(std::string_view text) {
  if (text.starts_with('<')) text.remove_prefix(1);
  if (text.ends_with('>')) text.remove_suffix(1);
  return text;
}

void read_header(const Node& root, Digest& digest) {
  Addresses from = addresses_in(root, "From");
  if (!from.empty()) digest.from = std::move(from.front());
  digest.to = addresses_in(root, "To");
  digest.cc = addresses_in(root, "Cc");
  digest.bcc = addresses_in(root, "Bcc");
  digest.reply_to = addresses_in(root, "Reply-To");
  if (const auto subject = root.header.find("Subject")) {
    digest.subject = one_line(mime::decode_words(mime::unfolded(*subject)).text, kMaxSubject);
  }
  if (const auto id = root.header.find("Message-ID")) digest.message_id = without_brackets(mime::unfolded(*id));
  if (const auto date = root.header.find("Date")) digest.date = parse_date(*date);
}

void add_tags(std::string_view list, Digest& digest) {
  while (!list.empty() && digest.tags.size() < kMaxTags) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string tag = one_line(list.substr(0, comma), kMaxTag);
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (!tag.empty() && std::ranges::find(digest.tags, tag) == digest.tags.end()) digest.tags.push_back(std::move(tag));
  }
}

void read_marks(const Node& root, std::size_t of_hooks, Digest& digest) {
  for (std::size_t i = 0; i < root.header.size(); ++i) {
    const mime::Field field = root.header[i];
    const auto value = [&] { return mime::decode_words(mime::unfolded(field.raw)).text; };
    if (mime::same_name(field.name, "X-Tags")) add_tags(value(), digest);
    if (i >= of_hooks) continue;
    if (mime::same_name(field.name, "X-Inbox-Tags")) add_tags(value(), digest);
    if (mime::same_name(field.name, "X-Inbox-Mailbox")) digest.mailbox = one_line(value(), kMaxMailbox);
  }
}

}  // namespace

bool is_attachment(const Node& part) {
  if (part.content.is_multipart()) return false;
  if (part.content.disposition)
    return *part.content.disposition != "inline" || (part.content.filename && !part.content.id);
  return part.content.is_message() || (part.content.filename && !part.content.id) ||
         !(part.content.is_text() || part.content.id);
}

bool read_text(std::string_view message, const Node& part, std::size_t most, std::string& text) {
  mime::BodyDecoder decoder(part.content.encoding);
  mime::ToUtf8 converter(mime::charset(part.content));
  const auto read = mime::read_range(message, part.body, [&](std::string_view body) {
    converter.step(decoder.step(body), text);
    return text.size() < most;
  });
  converter.step(decoder.finish(), text);
  converter.finish(text);
  if (text.size() > most) text.resize(beginning(text, most));
  mime::Defects defects;
  decoder.report(defects);
  converter.report(defects);
  return read && defects.empty();
}

std::string one_line(std::string_view text, std::size_t most) {
  std::string line;
  bool blank = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool space = static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
    if (space) {
      blank = !line.empty();
      continue;
    }
    const bool begins = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (begins && line.size() + 5 > most) break;  // a blank and the longest character
    if (blank) line += ' ';
    blank = false;
    line += c;
  }
  return line;
}

Digest digest_of(std::string_view message, const Envelope& envelope) {
  Digest digest;
  const mime::Limits limits{.depth = kMaxDepth, .parts = kMaxParts};
  mime::Budget budget(limits);
  const auto root = mime::find_parts(message, {.utf8 = envelope.utf8}, budget);
  if (budget.refusal()) digest.broken = true;
  read_header(*root, digest);
  read_marks(*root, envelope.of_hooks, digest);
  Findings findings{.octets = message, .digest = digest};
  findings.look_at(*root);
  digest.text = is_blank(findings.plain) ? std::move(findings.html) : std::move(findings.plain);
  digest.snippet = one_line(digest.text, kMaxSnippet);
  return digest;
}

}  // namespace hooksmtpd::inbox
