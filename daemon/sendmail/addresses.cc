#include "daemon/sendmail/addresses.h"

#include <fmt/format.h>
#include <gmime/gmime.h>
#include <sysexits.h>

#include <memory>
#include <string_view>

#include "daemon/sys/log.h"

namespace hooksmtpd::sendmail {
namespace {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* handle) const noexcept {
    release(handle);
  }
};
using List = std::unique_ptr<InternetAddressList, Release<g_object_unref>>;
using Address = std::unique_ptr<InternetAddress, Release<g_object_unref>>;
using Options = std::unique_ptr<GMimeParserOptions, Release<g_mime_parser_options_free>>;
using Text = std::unique_ptr<char, Release<g_free>>;

void initialise() {
  static const bool done = (g_mime_init(), true);
  static_cast<void>(done);
}

// The elements of a list: what stands between commas that are in no quotes, comment, brackets or group. GMime takes all
// of "root, Bob <bob@dev.test>" for one address whose name has a comma.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out(1);
  int comments = 0;
  bool quotes = false, angle = false, literal = false, group = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool plain = !quotes && comments == 0;
    if (c == '\\' && !(plain && !literal) && i + 1 < text.size()) {
      out.back() += c;
      ++i;
    } else if (quotes || (plain && c == '"')) {
      quotes = quotes != (c == '"');
    } else if (c == '(' && !literal) {
      ++comments;
    } else if (comments > 0) {
      comments -= c == ')' ? 1 : 0;
    } else if (literal || c == '[') {
      literal = c != ']';
    } else if (c == '<' || c == '>') {
      angle = c == '<';
    } else if (!angle && (c == ':' || c == ';')) {
      group = c == ':';
    } else if (c == ',' && !angle && !group) {
      out.emplace_back();
      continue;
    }
    out.back() += text[i];
  }
  std::erase_if(out, [](const std::string& one) { return one.find_first_not_of(" \t") == std::string::npos; });
  return out;
}

// GMime goes on behind what it does not understand. Here that would be a recipient forgotten.
void note_invalid(gint64, GMimeParserWarning code, const gchar*, gpointer invalid) noexcept {
  if (code == GMIME_WARN_INVALID_ADDRESS_LIST) *static_cast<bool*>(invalid) = true;
}

List parse_element(const std::string& text) {
  bool invalid = false;
  const Options options(g_mime_parser_options_new());
  g_mime_parser_options_set_warning_callback(options.get(), note_invalid, &invalid);
  List list(internet_address_list_parse(options.get(), text.c_str()));
  if (invalid) list.reset();
  return list;
}

std::unexpected<Failure> not_an_address(std::string_view text) {
  return fail(EX_DATAERR, fmt::format("{} is not an address that mail can be sent to", sys::quoted(text)));
}

Result<> collect(InternetAddressList* list, const std::string& domain, std::vector<mail::Mailbox>& out) {
  for (int i = 0; i < internet_address_list_length(list); ++i) {
    InternetAddress* address = internet_address_list_get_address(list, i);
    if (INTERNET_ADDRESS_IS_GROUP(address)) {
      InternetAddressList* members = internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address));
      if (const auto collected = collect(members, domain, out); !collected) return collected;
      continue;
    }
    std::string text = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
    // An "@" inside of quotes is the local part's.
    if (text.rfind('@') == std::string::npos || text.ends_with('"')) text += "@" + domain;
    auto mailbox = mail::parse_mailbox(text, mail::Characters::kUtf8);
    if (!mailbox) return not_an_address(text);
    out.push_back(*std::move(mailbox));
  }
  return {};
}

}  // namespace

Result<std::vector<mail::Mailbox>> parse_addresses(const std::string& text, const std::string& domain) {
  initialise();
  std::vector<mail::Mailbox> out;
  if (text.find('\0') != std::string::npos) return fail(EX_DATAERR, "a NUL in a list of addresses");
  for (const std::string& element : split(text)) {
    const List list = parse_element(element);
    if (!list) return not_an_address(element);
    if (const auto collected = collect(list.get(), domain, out); !collected) return std::unexpected(collected.error());
  }
  return out;
}

std::string format_address(const std::string& name, const mail::Mailbox& mailbox) {
  initialise();
  const std::string address = mail::to_string(mailbox);
  const Address made(internet_address_mailbox_new(name.empty() ? nullptr : name.c_str(), address.c_str()));
  const Text text(internet_address_to_string(made.get(), nullptr, /*encode=*/TRUE));
  return text.get();
}

}  // namespace hooksmtpd::sendmail
