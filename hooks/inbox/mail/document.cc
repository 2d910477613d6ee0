#include "hooks/inbox/mail/document.h"

#include <fmt/format.h>
#include <glib.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "hooks/inbox/mail/digest.h"
#include "hooks/inbox/mail/html.h"
#include "hooks/mime/field_text.h"

namespace hooksmtpd::inbox {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxShown = 4 * 1024 * 1024;  // octets of HTML
constexpr std::size_t kMaxLinks = 1000;
constexpr std::size_t kMaxLinkText = 200;
constexpr std::size_t kMaxLookedAt = 512 * 1024;  // of HTML, for the notes

bool is_link(std::string_view url) {
  const std::string lower = mime::lower_case(url.substr(0, 10));
  return lower.starts_with("http://") || lower.starts_with("https://") || lower.starts_with("mailto:") ||
         lower.starts_with("tel:");
}

class Links {
 public:
  void add(std::string url, std::string text) {
    if (!is_link(url) || list_.size() >= kMaxLinks || !seen_.insert(url).second) return;
    list_.push_back({{"url", std::move(url)}, {"text", one_line(text, kMaxLinkText)}});
  }
  Json list_ = Json::array();

 private:
  std::set<std::string> seen_;
};

void add_links_of_html(const std::string& html, Links& links) {
  std::string url, text;
  bool inside = false;
  visit_html(html, {.begin =
                        [&](std::string_view name, const HtmlVisitor::Attributes& attributes) {
                          if (name != "a" && name != "area") return;
                          const auto href =
                              std::ranges::find(attributes, "href", &HtmlVisitor::Attributes::value_type::first);
                          inside = href != attributes.end();
                          if (inside) url = mime::trimmed(href->second);
                          text.clear();
                        },
                    .end =
                        [&](std::string_view name) {
                          if (name == "a" && inside) links.add(url, text);
                          inside = inside && name != "a";
                        },
                    .text =
                        [&](std::string_view piece) {
                          if (inside && text.size() < kMaxLinkText) text += piece;
                        }});
}

bool ends_url(char c) { return static_cast<unsigned char>(c) <= ' ' || std::string_view("<>\"'`").contains(c); }

void add_links_of_text(std::string_view text, Links& links) {
  for (std::size_t at = text.find("http"); at != std::string_view::npos; at = text.find("http", at + 1)) {
    const std::string_view rest = text.substr(at);
    if (!rest.starts_with("http://") && !rest.starts_with("https://")) continue;
    std::string_view url =
        rest.substr(0, static_cast<std::size_t>(std::ranges::find_if(rest, ends_url) - rest.begin()));
    while (!url.empty() && std::string_view(".,;:!?)").contains(url.back())) url.remove_suffix(1);
    links.add(std::string(url), std::string(url));
    at += url.size();
  }
}

struct Feature {
  const char* what;
  const char* pattern;  // in the source, lower case
  const char* why;
};
// From what Can I email (caniemail.com) says of the programs that most people read mail with, in our words.
constexpr std::array kFeatures{
    Feature{"<script>", "<script", "no mail program runs scripts, and some refuse the message"},
    Feature{"<form>", "<form", "Outlook and most web mail take forms out, or do not send them"},
    Feature{"<iframe>, <object>, <embed>", "<(iframe|object|embed)", "taken out everywhere"},
    Feature{"<video>, <audio>", "<(video|audio)", "Apple Mail plays them; Gmail and Outlook show what stands within"},
    Feature{"<svg>", "<svg", "Gmail and Outlook take it out: use an image of PNG"},
    Feature{"<link rel=stylesheet>", "<link[^>]{0,200}stylesheet",
            "most programs load no style sheet: use style attributes"},
    Feature{"@import", "@import", "most programs load no style sheet"},
    Feature{"@font-face", "@font-face", "Apple Mail loads fonts; Gmail and Outlook for Windows take another one"},
    Feature{"@media", "@media", "Outlook for Windows ignores it, Gmail where the address is not Google's"},
    Feature{"position", "position\\s*:\\s*(absolute|fixed|sticky)", "Gmail and Outlook ignore it"},
    Feature{"display: flex or grid", "display\\s*:\\s*(inline-)?(flex|grid)",
            "Outlook for Windows ignores it: use tables"},
    Feature{"float", "float\\s*:\\s*(left|right)", "Outlook for Windows ignores it on most elements"},
    Feature{"background-image", "background(-image)?\\s*:[^;\"']{0,200}url",
            "Outlook for Windows shows none without VML"},
    Feature{"border-radius", "border-radius", "Outlook for Windows draws square corners"},
    Feature{"box-shadow", "box-shadow", "Gmail and Outlook ignore it"},
    Feature{"max-width", "max-width", "Outlook for Windows needs a width attribute beside it"},
    Feature{"animation, transition", "(animation|transition)\\s*:", "Gmail and Outlook ignore it"},
    Feature{"var()", "var\\s*\\(\\s*--", "Outlook and many others know no variables"},
    Feature{"rem, vw, vh", ":\\s*[0-9.]+(rem|vw|vh)", "Outlook for Windows knows px, pt and %"},
    Feature{"data: images", "src\\s*=\\s*[\"']?data:", "Gmail and Outlook show none: attach them and use cid:"},
};

}  // namespace

Json links_of(const Opened& message) {
  Links links;
  if (const auto* const html = message.body("text/html")) add_links_of_html(message.text(*html, kMaxShown), links);
  if (const auto* const plain = message.body("text/plain")) add_links_of_text(message.text(*plain, kMaxShown), links);
  return std::move(links.list_);
}

std::size_t known_notes() { return kFeatures.size() + 1; }

std::size_t elements_in(std::string_view html) {
  std::size_t elements = 0;
  visit_html(html, {.begin = [&](std::string_view, const HtmlVisitor::Attributes&) { ++elements; }});
  return elements;
}

Json notes_on(std::string_view html) {
  static const auto patterns = [] {
    std::vector<std::pair<const Feature*, GRegex*>> compiled;
    for (const Feature& feature : kFeatures) {
      constexpr auto kOptions = static_cast<GRegexCompileFlags>(G_REGEX_CASELESS | G_REGEX_OPTIMIZE | G_REGEX_RAW);
      compiled.emplace_back(&feature, g_regex_new(feature.pattern, kOptions, GRegexMatchFlags(0), nullptr));
    }
    return compiled;
  }();
  const std::string_view looked_at = html.substr(0, kMaxLookedAt);
  Json notes = Json::array();
  for (const auto& [feature, pattern] : patterns) {
    const auto size = static_cast<gssize>(looked_at.size());
    if (g_regex_match_full(pattern, looked_at.data(), size, 0, GRegexMatchFlags(0), nullptr, nullptr) == 0) continue;
    notes.push_back({{"what", feature->what}, {"why", feature->why}});
  }
  if (html.size() > 102 * 1024) {
    notes.push_back(
        {{"what", fmt::format("{} KiB of HTML", html.size() / 1024)}, {"why", "Gmail cuts a message after 102 KiB"}});
  }
  return notes;
}

}  // namespace hooksmtpd::inbox
