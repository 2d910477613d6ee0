#include "hooks/inbox/mail/html.h"

#include <libxml/HTMLparser.h>

#include <algorithm>
#include <array>
#include <memory>

namespace hooksmtpd::inbox {
namespace {

std::string_view view(const xmlChar* text) { return text ? reinterpret_cast<const char*>(text) : ""; }

const HtmlVisitor& visitor(void* context) { return *static_cast<const HtmlVisitor*>(context); }

void on_begin(void* context, const xmlChar* name, const xmlChar** pairs) {
  if (!visitor(context).begin) return;
  HtmlVisitor::Attributes attributes;
  for (; pairs && *pairs; pairs += 2) attributes.emplace_back(view(pairs[0]), view(pairs[1]));
  visitor(context).begin(view(name), attributes);
}

void on_end(void* context, const xmlChar* name) {
  if (visitor(context).end) visitor(context).end(view(name));
}

void on_text(void* context, const xmlChar* text, int length) {
  if (visitor(context).text) visitor(context).text(view(text).substr(0, static_cast<std::size_t>(length)));
}

constexpr std::size_t kPiece = 16 * 1024;

constexpr std::array<std::string_view, 6> kUnseen{"script", "style", "head", "title", "template", "noscript"};
constexpr std::array<std::string_view, 24> kBlocks{
    "address", "article", "blockquote", "br",     "dd", "div", "dl", "dt", "footer", "h1", "h2", "h3",
    "h4",      "h5",      "h6",         "header", "hr", "li",  "ol", "p",  "table",  "td", "tr", "ul"};

bool is_one_of(std::string_view name, const auto& names) { return std::ranges::find(names, name) != names.end(); }

}  // namespace

void visit_html(std::string_view html, const HtmlVisitor& visitor) {
  static const auto handler = [] {
    htmlSAXHandler sax{};
    sax.startElement = on_begin;
    sax.endElement = on_end;
    sax.characters = on_text;
    sax.cdataBlock = on_text;
    sax.ignorableWhitespace = on_text;
    return sax;
  }();
  htmlSAXHandler sax = handler;
  const std::unique_ptr<htmlParserCtxt, void (*)(htmlParserCtxtPtr)> context(
      htmlCreatePushParserCtxt(&sax, const_cast<HtmlVisitor*>(&visitor), nullptr, 0, nullptr, XML_CHAR_ENCODING_UTF8),
      htmlFreeParserCtxt);
  if (!context) return;
  htmlCtxtUseOptions(context.get(), HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_RECOVER |
                                        HTML_PARSE_IGNORE_ENC | HTML_PARSE_NODEFDTD);
  for (; !html.empty(); html.remove_prefix(std::min(kPiece, html.size()))) {
    const std::string_view piece = html.substr(0, kPiece);
    if (htmlParseChunk(context.get(), piece.data(), static_cast<int>(piece.size()), 0) == XML_ERR_NO_MEMORY) return;
  }
  htmlParseChunk(context.get(), nullptr, 0, 1);
}

std::string text_of_html(std::string_view html, std::size_t most) {
  std::string text;
  std::size_t unseen = 0;  // how many elements around us nobody sees
  const auto block = [&](std::string_view name) {
    if (is_one_of(name, kBlocks) && !text.empty() && text.back() != '\n') text += '\n';
  };
  visit_html(html, {.begin =
                        [&](std::string_view name, const HtmlVisitor::Attributes&) {
                          if (is_one_of(name, kUnseen)) ++unseen;
                          block(name);
                        },
                    .end =
                        [&](std::string_view name) {
                          if (is_one_of(name, kUnseen) && unseen > 0) --unseen;
                          block(name);
                        },
                    .text =
                        [&](std::string_view piece) {
                          if (unseen == 0 && text.size() < most) text.append(piece.substr(0, most - text.size()));
                        }});
  return text;
}

}  // namespace hooksmtpd::inbox
