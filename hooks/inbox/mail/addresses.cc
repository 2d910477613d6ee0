#include "hooks/inbox/mail/addresses.h"

#include <gmime/gmime.h>

#include <string>

#include "hooks/mime/encoded_words.h"
#include "hooks/mime/field_text.h"
#include "hooks/mime/gmime_handle.h"

namespace hooksmtpd::inbox {
namespace {

using mime::Object;

std::string text_of(const char* text) { return text ? mime::valid_utf8(text) : ""; }

// Of a list, or of a group in it.
void collect(InternetAddressList* list, Addresses& addresses, int depth = 0) {
  const int length = internet_address_list_length(list);
  for (int i = 0; i < length && addresses.size() < kMostAddresses; ++i) {
    InternetAddress* const one = internet_address_list_get_address(list, i);
    if (INTERNET_ADDRESS_IS_GROUP(one)) {
      InternetAddressList* const members = internet_address_group_get_members(INTERNET_ADDRESS_GROUP(one));
      if (members && depth < 4) collect(members, addresses, depth + 1);
      continue;
    }
    InternetAddressMailbox* const mailbox = INTERNET_ADDRESS_MAILBOX(one);
    addresses.push_back({.name = text_of(internet_address_get_name(one)),
                         .address = text_of(internet_address_mailbox_get_addr(mailbox))});
  }
}

}  // namespace

Addresses parse_addresses(std::string_view raw) {
  Addresses addresses;
  const std::string text = mime::unfolded(raw);
  if (text.empty()) return addresses;
  const Object<InternetAddressList> list(internet_address_list_parse(nullptr, text.c_str()));
  if (list) collect(list.get(), addresses);
  if (addresses.empty()) addresses.push_back({.name = "", .address = mime::decode_words(text).text});
  return addresses;
}

std::optional<Time> parse_date(std::string_view raw) {
  const std::string text = mime::unfolded(raw);
  const std::unique_ptr<GDateTime, mime::Release<g_date_time_unref>> date(
      g_mime_utils_header_decode_date(text.c_str()));
  if (!date) return std::nullopt;
  return Time(std::chrono::seconds(g_date_time_to_unix(date.get())));
}

}  // namespace hooksmtpd::inbox
