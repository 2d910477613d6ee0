// What people read in HTML, and where it leads: by libxml2's parser, which takes whatever comes.

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hooksmtpd::inbox {

// The events of a document, as the parser understands it. Names in lower case; valid UTF-8.
struct HtmlVisitor {
  using Attributes = std::vector<std::pair<std::string_view, std::string_view>>;  // values without entities

  std::function<void(std::string_view name, const Attributes& attributes)> begin{};
  std::function<void(std::string_view name)> end{};
  std::function<void(std::string_view text)> text{};
};

// `html` is UTF-8, whatever it says about itself. Loads nothing.
void visit_html(std::string_view html, const HtmlVisitor& visitor);

// Its text, at most `most` octets: blocks on lines of their own, without styles, scripts and what is in the head.
std::string text_of_html(std::string_view html, std::size_t most);

}  // namespace hooksmtpd::inbox
