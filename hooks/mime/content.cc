#include "hooks/mime/content.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hooks/mime/encoded_words.h"
#include "hooks/mime/field_text.h"
#include "hooks/mime/gmime_handle.h"

namespace hooksmtpd::mime {
namespace {

// Octets of a field's parameters that are read: GMime compares each with each.
constexpr std::size_t kMaxParameters = 16 * 1024;

// RFC 2045 §5.1.
bool is_token_octet(char c) { return c > ' ' && c < '\x7f' && !std::string_view("()<>@,;:\\\"/[]?=").contains(c); }

// Cuts blanks and comments off the front (RFC 5322 §3.2.2).
void skip_comments(std::string_view& text) {
  int depth = 0;
  while (!text.empty()) {
    const char c = text.front();
    if (c == '(') {
      ++depth;
    } else if (depth > 0 && c == ')') {
      --depth;
    } else if (depth > 0 && c == '\\' && text.size() > 1) {
      text.remove_prefix(1);
    } else if (depth == 0 && c != ' ' && c != '\t') {
      return;
    }
    text.remove_prefix(1);
  }
}

// Cuts a token off the front, in lower case; "": there is none.
std::string take_token(std::string_view& text) {
  skip_comments(text);
  const auto end = std::ranges::find_if_not(text, is_token_octet);
  const auto length = static_cast<std::size_t>(end - text.begin());
  std::string token = lower_case(text.substr(0, length));
  text.remove_prefix(length);
  return token;
}

bool take(std::string_view& text, char c) {
  skip_comments(text);
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

struct Reading {
  std::string_view field;
  Defects& defects;
};

void on_warning(gint64, GMimeParserWarning what, const gchar* item, gpointer reading) noexcept {
  const auto& [field, defects] = *static_cast<Reading*>(reading);
  if (what == GMIME_WARN_INVALID_PARAMETER) {
    defects.add(item == nullptr ? fmt::format("a parameter of {} cannot be understood", field)
                                : fmt::format("the parameter {} of {} cannot be understood", in_quotes(item), field));
  } else if (what == GMIME_WARN_DUPLICATED_PARAMETER || what == GMIME_CRIT_CONFLICTING_PARAMETER) {
    defects.add(fmt::format("the parameter {} of {} comes more than once", in_quotes(item), field));
  }
}

// What stands behind the first word of `field`; of a parameter that comes twice the first counts.
Parameters read_parameters(std::string_view text, Reading reading) {
  Parameters parameters;
  skip_comments(text);
  if (text.empty()) return parameters;
  if (!take(text, ';')) {
    reading.defects.add(fmt::format("no semicolon before {} in {}", in_quotes(text), reading.field));
  }
  if (text.size() > kMaxParameters) {
    reading.defects.add(
        fmt::format("of the parameters of {} the first {} octets are read", reading.field, kMaxParameters));
    text = text.substr(0, kMaxParameters);
  }
  const Options options(g_mime_parser_options_new());
  g_mime_parser_options_set_warning_callback(options.get(), on_warning, &reading);
  const Object<GMimeParamList> list(g_mime_param_list_parse(options.get(), std::string(text).c_str()));
  for (int i = 0; i < g_mime_param_list_length(list.get()); ++i) {
    GMimeParam* param = g_mime_param_list_get_parameter_at(list.get(), i);
    std::string name = lower_case(g_mime_param_get_name(param));
    if (find(parameters, name) == nullptr) {
      parameters.emplace_back(std::move(name), valid_utf8(g_mime_param_get_value(param)));
    }
  }
  return parameters;
}

// RFC 2045 §5.2: what has no type, or none that can be understood, has the default.
void read_type(std::string_view raw, Content& content, Defects& defects) {
  const std::string value = unfolded(raw);
  std::string_view rest = value;
  const std::string type = take_token(rest);
  const bool slash = take(rest, '/');
  const std::string subtype = take_token(rest);
  if (type.empty() || !slash || subtype.empty()) {
    return defects.add(fmt::format("{} is no Content-Type", in_quotes(value)));
  }
  content.type = fmt::format("{}/{}", type, subtype);
  content.params = read_parameters(rest, {"Content-Type", defects});
}

void read_disposition(std::string_view raw, Content& content, Defects& defects) {
  const std::string value = unfolded(raw);
  std::string_view rest = value;
  std::string disposition = take_token(rest);
  skip_comments(rest);
  if (disposition.empty() || !(rest.empty() || rest.starts_with(';'))) {
    defects.add(fmt::format("{} is no Content-Disposition", in_quotes(value)));
    rest = rest.substr(std::min(rest.find(';'), rest.size()));
  } else {
    content.disposition = std::move(disposition);
  }
  content.disposition_params = read_parameters(rest, {"Content-Disposition", defects});
}

std::string without_brackets(std::string_view text) {
  if (text.starts_with('<') && text.ends_with('>') && text.size() > 1) text = text.substr(1, text.size() - 2);
  return std::string(text);
}

}  // namespace

const std::string* find(const Parameters& parameters, std::string_view name) {
  const auto found = std::ranges::find(parameters, name, &std::pair<std::string, std::string>::first);
  return found == parameters.end() ? nullptr : &found->second;
}

std::string charset(const Content& content) {
  const std::string* given = find(content.params, "charset");
  return given == nullptr || given->empty() ? "us-ascii" : lower_case(*given);
}

Content read_content(const Header& header, std::string_view default_type, Defects& defects) {
  Content content;
  content.type = default_type;
  if (const auto type = header.find("Content-Type")) read_type(*type, content, defects);
  if (const auto disposition = header.find("Content-Disposition")) read_disposition(*disposition, content, defects);
  if (const std::string* name = find(content.disposition_params, "filename")) {
    content.filename = *name;
  } else if (const std::string* other = find(content.params, "name")) {
    content.filename = *other;
  }
  if (const auto encoding = header.find("Content-Transfer-Encoding")) {
    const std::string value = unfolded(*encoding);
    std::string_view rest = value;
    std::string token = take_token(rest);
    skip_comments(rest);
    content.encoding = token.empty() || !rest.empty() ? lower_case(value) : std::move(token);
  }
  if (const auto id = header.find("Content-ID")) content.id = without_brackets(unfolded(*id));
  if (const auto description = header.find("Content-Description"))
    content.description = decode_words(unfolded(*description)).text;
  return content;
}

}  // namespace hooksmtpd::mime
