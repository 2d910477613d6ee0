// A message -> what lists and searches need of it.

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "hooks/inbox/store/values.h"
#include "hooks/mime/node.h"

namespace hooksmtpd::inbox {

// What is taken apart; beyond that a message is shown as its source only.
inline constexpr std::size_t kMaxDepth = 32;
inline constexpr std::size_t kMaxParts = 1000;
inline constexpr std::size_t kMaxSearched = 256 * 1024;  // octets of text

// Whatever is wrong with the message: what could be made out, with `broken`.
//
// Its first `of_hooks` fields were put there by the daemon and by hooks, so that no client can forge them. Among them,
// X-Inbox-Mailbox names the mailbox and X-Inbox-Tags, with commas, tags; X-Tags counts wherever it stands.
struct Envelope {
  bool utf8 = false;
  std::size_t of_hooks = 0;
};
Digest digest_of(std::string_view message, const Envelope& envelope);

// The text of a part of it, in UTF-8, as far as it is below `most` octets. False: it has a defect.
bool read_text(std::string_view message, const mime::Node& part, std::size_t most, std::string& text);

// It is something to be stored, and not what people read in place.
bool is_attachment(const mime::Node& part);

// The first `most` octets of `text`, but no half character, on one line.
std::string one_line(std::string_view text, std::size_t most);

}  // namespace hooksmtpd::inbox
