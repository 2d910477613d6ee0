// What a Session needs of whoever runs it, and what it asks.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proto/mail/added_header.h"
#include "proto/mail/envelope.h"
#include "proto/sasl/credentials.h"
#include "proto/smtp/command.h"
#include "proto/smtp/data_decoder.h"
#include "proto/smtp/date.h"
#include "proto/smtp/parameters.h"

namespace hooksmtpd::smtp {

// From MAIL to the reply to the end of data.
struct Transaction {
  std::string id;
  mail::Envelope envelope;  // as hooks have rewritten it
  MailTerms terms;
  std::vector<mail::AddedHeader> added_headers{};  // by hooks, before the message came; below our trace headers
  std::size_t prefix = 0;                          // octets that body() was given of both of them
  DataDecoder data;
  std::uint64_t announced = 0;  // octets of all chunks so far (BDAT)
  std::size_t recipients_refused = 0;
  std::size_t recipients_room = 0;  // see kMaxRecipientsRoom
  std::string data_refusal{};  // of a first BDAT: its octets come before it is said
  bool discard = false;        // a hook said so: 250 to the client, and nobody gets it

  // LMTP: of each recipient that was told 250, whether it is in the envelope. One that a hook discarded is not, and is
  // owed a reply after the message all the same.
  std::vector<bool> owed;
};

// The envelope of the transaction so far is in Session::transaction().
namespace question {
struct Host {};
// A TLS handshake is done, and nothing that came after it was looked at.
struct Starttls {};
struct Helo {
  std::string verb;  // "EHLO", "HELO", "LHLO"
  std::string name;
};
// A line whose verb is not known, or not offered. One that may be part of a login is never asked about.
struct Command {
  std::string line;  // without its end
};
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
// DATA, or the first BDAT of a message, whose octets are not looked at before the verdict.
struct Data {
  std::optional<command::Bdat> chunk{};
};
struct Message {};  // every octet of it was given to Host::body()
}  // namespace question
using Question = std::variant<question::Host, question::Starttls, question::Helo, question::Auth, question::Sender,
                              question::Recipient, question::Data, question::Message, question::Command>;
using QuestionId = std::uint32_t;

// Why a transaction is over.
enum class TransactionEnd : std::uint8_t {
  kDone,     // accepted, for at least one recipient
  kRefused,  // by the verdict on the message
  kRset,
  kHello,   // the client began anew: EHLO, HELO, STARTTLS, XCLIENT
  kFailed,  // refused for another reason: too large, a bare line end, a chunk that is missing or was refused
};

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
  virtual void transaction_over(const Transaction& transaction, std::string_view reply, TransactionEnd why) = 0;

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

  // Somebody wants to hear what the client says: the calls below are made, in order with reply().
  virtual bool listening() const { return false; }

  // A line of the client, without its end and before it runs. "***" stands for what may be a credential: the initial
  // response of AUTH, answers to challenges, and what comes behind an AUTH and is no command. Of a line that is too
  // long only that is said.
  virtual void heard(std::string_view /*line*/) {}

  // All octets of a message, or of a chunk of one, have come: so many, the end mark and stuffed dots not counted.
  virtual void heard_data(std::uint64_t /*octets*/) {}

 protected:
  ~Host() = default;
};

}  // namespace hooksmtpd::smtp
