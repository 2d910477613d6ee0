// The server's side of one AUTH command (RFC 4954 §4, RFC 4422 §3): decoded bytes of the client go in, what to do next
// comes out. No base64, no reply codes, no "*": those are the session's.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proto/sasl/credentials.h"
#include "proto/sasl/mechanism.h"
#include "proto/sasl/password_file.h"
#include "proto/sasl/step.h"

namespace hooksmtpd::sasl {

class Dialogue;

class Exchange {
 public:
  using Challenge = sasl::Challenge;
  using Judge = sasl::Judge;
  using Accepted = sasl::Accepted;
  using Refused = sasl::Refused;
  using Step = sasl::Step;

  // users: the password file, which must outlive the exchange, or null where a hook or nobody judges: then it ends with
  // Judge, never with Accepted. The mechanism must be among what offered() has for that source.
  // nonce: printable ASCII without ',' that nobody can foresee, 18 random octets or more, new for every exchange.
  // hostname: for CRAM-MD5's challenge.
  Exchange(Mechanism mechanism, const PasswordFile* users, std::string nonce, std::string_view hostname);
  Exchange(Exchange&&) noexcept;
  Exchange& operator=(Exchange&&) noexcept;
  ~Exchange();

  // initial_response: what stood behind the mechanism's name; empty for "=", nullopt if there was nothing (§4).
  Step begin(std::optional<std::string_view> initial_response);

  // The client's answer to the last Challenge. Neither may be called after a step that was none.
  Step next(std::string_view response);

  // Complete after Judge; after Accepted, `user` is who it is.
  const Credentials& credentials() const;

 private:
  std::unique_ptr<Dialogue> dialogue_;
  bool over_ = false;
};

// What a refusal by a judge is, after Judge: with XOAUTH2 and OAUTHBEARER the client gets a last challenge that tells
// why, and its answer to that, whatever it is, is followed by 535 (RFC 7628 §3.2.3).
Refused refused_by_judge(Mechanism mechanism);

}  // namespace hooksmtpd::sasl
