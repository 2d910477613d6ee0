// What a Session needs of whoever runs it, and what it asks.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proto/mail/envelope.h"
#include "proto/sasl/credentials.h"
#include "proto/smtp/data_decoder.h"
#include "proto/smtp/date.h"
#include "proto/smtp/parameters.h"

namespace hooksmtpd::smtp {

// From MAIL to the reply to the end of data.
struct Transaction {
  std::string id;
  mail::Envelope envelope;
  MailTerms terms;
  DataDecoder data;
  std::uint64_t announced = 0;  // octets of all chunks so far (BDAT)
  std::size_t recipients_refused = 0;
  bool discard = false;  // a hook said so: 250 to the client, and nobody gets it

  // LMTP: of each recipient that was told 250, whether it is in the envelope. One that a hook discarded is not, and is
  // owed a reply after the message all the same.
  std::vector<bool> owed;
};

// The envelope of the transaction so far is in Session::transaction().
namespace question {
struct Host {};
struct Auth {
  sasl::Credentials credentials;  // never to be logged
};
struct Sender {
  mail::ReversePath reverse_path;
  mail::Parameters params;
  MailTerms terms;
};
struct Recipient {
  mail::Mailbox mailbox;
  mail::Parameters params;
};
struct Message {};  // every octet of it was given to Host::body()
}  // namespace question
using Question = std::variant<question::Host, question::Auth, question::Sender, question::Recipient, question::Message>;
using QuestionId = std::uint32_t;

// Whoever runs a session. None of these may call back into it.
class Host : public BodySink {
 public:
  // Whole replies in wire form, in the order in which they must leave.
  virtual void reply(std::string_view wire) = 0;

  // Answer with Session::answer(), some time after this returned. `question` lives until then.
  virtual void ask(QuestionId id, const Question& question) = 0;

  // A transaction ended; `reply` is what the client was told after the data, empty if it never came so far (RSET, a new
  // EHLO). Of the replies of LMTP, one for each recipient, it is the best. What body() gave of it may go. A session
  // that just ends leaves its transaction to its destructor.
  virtual void transaction_over(const Transaction& transaction, std::string_view reply) = 0;

  // This message will be refused when it ends, whatever else comes: what body() gave of it may go.
  virtual void body_doomed() = 0;

  // Replies have piled up: receive() takes no command until they are sent, and is to be called again then.
  virtual bool full() = 0;

  // The wall clock, for greeting and trace headers.
  virtual Now now() = 0;

  // An AUTH command is over, whoever decided it. `user` is who the client says it is, empty if it never came so far;
  // `reply` is what it was told.
  virtual void auth_over(sasl::Mechanism /*mechanism*/, std::string_view /*user*/, std::string_view /*reply*/) {}

  // A TLS handshake can be done now. If not, STARTTLS is told to come back later.
  virtual bool tls_available() = 0;

  // "220 go ahead" was said. Once it is sent, and whatever the client sent before that is thrown away: the handshake,
  // and then Session::secured() or the end of the connection.
  virtual void start_tls() = 0;

  // Printable ASCII without ',' that nobody can foresee, of at least 18 octets of randomness, new with every call.
  virtual std::string nonce() = 0;

 protected:
  ~Host() = default;
};

}  // namespace hooksmtpd::smtp
