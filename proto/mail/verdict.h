// What a hook decided. Both protocols speak about it: proto/hook reads it from a reply line, proto/smtp turns it
// into an SMTP reply.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/mail/added_header.h"
#include "proto/mail/mailbox.h"

namespace hooksmtpd::mail {

enum class Action {
  kAccept,
  kReject,   // permanent: 5yz
  kDefer,    // temporary: 4yz
  kDiscard,  // 250 to the client, and nothing is kept
  kClose,    // 421, and the connection ends
};

// "accept" and so on, as replies spell it.
constexpr std::string_view to_string(Action action) {
  switch (action) {
    case Action::kAccept:
      return "accept";
    case Action::kReject:
      return "reject";
    case Action::kDefer:
      return "defer";
    case Action::kDiscard:
      return "discard";
    case Action::kClose:
      return "close";
  }
  return "?";
}

// A verdict that named no `code` gets the reply that the question has for it (DESIGN.md section 6); one that did is
// sent as given. The parts fit each other: `code` begins with 4 for kDefer and 5 for kReject, `enhanced` likewise.
struct Verdict {
  Action action = Action::kAccept;
  int code = 0;                   // 400–599, or 0: none named
  std::string enhanced;           // "5.1.1" (RFC 3463), or empty: none named
  std::vector<std::string> text;  // a line each, as the hook gave it: not yet clean (Reply::make does that)

  // Of a message over LMTP, where each recipient gets a reply of its own (RFC 2033 §4.2): one for each in their order,
  // none of them kClose, beside an action of kAccept. Empty: the verdict is for all.
  std::vector<Verdict> recipients{};

  // Modifications, of kAccept only. The address takes the place of the sender, or of the recipient, which is never the
  // null path then, for all that comes after; the header fields go right below the trace fields of the message.
  std::optional<ReversePath> rewrite{};
  std::vector<AddedHeader> add_headers{};

  bool abrupt = false;  // of kClose: no 421, the connection is reset

  friend bool operator==(const Verdict&, const Verdict&) = default;
};

inline bool accepts(const Verdict& verdict) {
  return verdict.action == Action::kAccept || verdict.action == Action::kDiscard;
}

}  // namespace hooksmtpd::mail
