// One SMTP session (RFC 5321 §3), without I/O: bytes of the client and verdicts go in, replies and questions come out.
//
// The same object runs under a transcript test, a fuzzer and libevent. What may come when is one table (Rule in
// session.cc). Where policy is needed the session asks its Host, and goes on when answer() is called; pipelined RCPTs
// are questions that may be out together (RFC 2920 §3.2), and their replies still leave in the order of the commands.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proto/mail/envelope.h"
#include "proto/mail/verdict.h"
#include "proto/smtp/command.h"
#include "proto/smtp/data_decoder.h"
#include "proto/smtp/date.h"

namespace hooksmtpd::smtp {

// What the administrator decides. A session keeps the ones it began with.
struct Settings {
  std::string hostname;
  std::string banner;
  std::uint64_t message_size = 25 * 1024 * 1024;  // octets
  std::size_t recipients = 1000;                  // of one message
  std::size_t errors = 100;                       // 5yz replies to one client; 0: no limit
  std::size_t commands = 0;                       // of one session; 0: no limit
  bool strict_lines = false;                      // refuse text lines over kMaxTextLine

  // Whether anybody judges. Where nobody does no question is asked, and the answer is yes; where nobody judges
  // messages, none is passed on.
  struct Judged {
    bool host = false, sender = false, recipient = false, message = false;
  } judged = {};
};

struct Peer {
  std::string address;  // "127.0.0.1", "::1"
  std::uint16_t port = 0;
};

// From MAIL to the reply to the end of data.
struct Transaction {
  std::string id;
  mail::Envelope envelope;
  DataDecoder data;
  std::size_t recipients_refused = 0;
  bool discard = false;  // a hook said so: 250 to the client, and nobody gets it
};

// What a session asks. The envelope of the transaction so far is in Session::transaction().
namespace question {
struct Host {};
struct Sender {
  mail::ReversePath reverse_path;
  mail::Parameters params;
};
struct Recipient {
  mail::Mailbox mailbox;
  mail::Parameters params;
};
struct Message {};  // every octet of it was given to Host::body()
}  // namespace question
using Question = std::variant<question::Host, question::Sender, question::Recipient, question::Message>;
using QuestionId = std::uint32_t;

// Whoever runs a session. None of these may call back into it.
class Host : public BodySink {
 public:
  // Whole replies in wire form, in the order in which they must leave.
  virtual void reply(std::string_view wire) = 0;

  // Answer with Session::answer(), some time after this returned. `question` lives until then.
  virtual void ask(QuestionId id, const Question& question) = 0;

  // A transaction ended; `reply` is what the client was told after the data, empty if it never came so far (RSET, a new
  // EHLO). What body() gave of it may go. A session that just ends leaves its transaction to its destructor.
  virtual void transaction_over(const Transaction& transaction, std::string_view reply) = 0;

  // This message will be refused when it ends, whatever else comes: what body() gave of it may go.
  virtual void body_doomed() = 0;

  // Replies have piled up: receive() takes no command until they are sent, and is to be called again then.
  virtual bool full() = 0;

  // The wall clock, for greeting and trace headers.
  virtual Now now() = 0;

 protected:
  ~Host() = default;
};

// The reply that ends a connection before it has a session: one of the farewells of replies.h, with our name.
std::string farewell_reply(std::string_view farewell, std::string_view hostname);

// Why a connection is ended by us, each with its own 421.
enum class Farewell { kIdle, kSlowCommand, kSlowData, kShuttingDown };

// How a session ended.
enum class End : std::uint8_t {
  kNot,      // it goes on
  kQuit,     // the client said QUIT
  kTimeout,  // see Farewell
  kShutdown,
  kLimit,  // of errors or commands
  kHook,   // a hook said so
};

class Session {
 public:
  struct Counts {
    std::uint32_t commands = 0, errors = 0;
    std::uint32_t messages_accepted = 0, messages_refused = 0;
    std::uint32_t recipients_accepted = 0, recipients_refused = 0;
  };

  // `host` and `settings` outlive the session. `id` is the prefix of its transactions' ids.
  Session(Host& host, const Settings& settings, Peer peer, std::string id);

  // The connection is open: the greeting, or the question whether to greet.
  void begin();

  // Takes bytes of the client and gives how many were used. The rest is either the start of a command line, at most
  // kMaxCommandLine octets, or must wait while waiting() or Host::full() say so; give it again, with what came behind.
  std::size_t receive(std::string_view bytes);

  // The verdict on question `id`. Afterwards give receive() again what it left.
  void answer(QuestionId id, const mail::Verdict& verdict);

  // Says why and ends the session.
  void end(Farewell why);

  bool waiting() const { return !slots_.empty(); }  // questions are out
  bool in_data() const { return state_ == State::kData; }
  bool closed() const { return state_ == State::kClosed; }  // flush the replies and close the connection
  End how_ended() const { return end_; }

  const std::string& id() const { return id_; }
  const Peer& peer() const { return peer_; }
  const std::string& helo() const { return helo_; }  // empty before HELO
  bool extended() const { return extended_; }        // EHLO, not HELO
  const Counts& counts() const { return counts_; }
  const Transaction* transaction() const { return transaction_.get(); }
  std::string transaction_id() const;  // of the last MAIL, also while its sender is being judged

 private:
  enum class State : std::uint8_t {
    kGreeting,   // not greeted yet
    kDenied,     // validate_host said no: only QUIT
    kConnected,  // greeted
    kReady,      // said EHLO or HELO
    kMail,       // has a sender
    kRcpt,       // and a recipient
    kData,       // message octets come in
    kClosed,
  };
  struct Rule;

  // A place in the queue of replies: a question that is out, or a reply that waits for those before it.
  struct Slot {
    QuestionId id = 0;
    std::unique_ptr<Question> question{};  // its address stays: the host may look at it until it is answered
    std::unique_ptr<mail::Verdict> verdict{};
    std::string reply{};  // where there is no question
  };

  void command(std::string_view line);
  bool may_run_beside_questions(std::string_view line) const;
  std::size_t receive_data(std::string_view bytes);

  void ehlo(std::string_view arguments);
  void helo(std::string_view arguments);
  void mail(std::string_view arguments);
  void rcpt(std::string_view arguments);
  void data(std::string_view arguments);
  void rset(std::string_view arguments);
  void noop(std::string_view arguments);
  void quit(std::string_view arguments);
  void vrfy(std::string_view arguments);
  void expn(std::string_view arguments);
  void help_topic(std::string_view arguments);
  void unknown(std::string_view arguments);

  void answered(const question::Host& asked, const mail::Verdict& verdict);
  void answered(const question::Sender& asked, const mail::Verdict& verdict);
  void answered(const question::Recipient& asked, const mail::Verdict& verdict);
  void answered(const question::Message& asked, const mail::Verdict& verdict);

  void greet();
  void introduce(std::string_view name, bool extended);
  void begin_transaction(const question::Sender& sender);
  void add_recipient(const question::Recipient& recipient);
  void refuse_recipient(std::string_view reply);
  std::string_view doom() const;
  void accept_message();
  void end_transaction(std::string_view reply);
  void forget_transaction();

  void ask(Question question);
  void say(std::string_view wire);
  void emit(std::string_view wire);
  void emit_ready_slots();
  void end(End how, std::string_view farewell);
  void close(End how);
  bool ended_by(const mail::Verdict& verdict);

  Host& host_;
  const Settings& settings_;
  Peer peer_;
  std::string id_;
  std::string helo_;
  std::unique_ptr<Transaction> transaction_;
  std::vector<Slot> slots_;
  Counts counts_;
  QuestionId last_question_ = 0;
  std::uint32_t transactions_ = 0;
  std::uint32_t skipped_ = 0;  // octets of an over-long command line that were thrown away
  State state_ = State::kGreeting;
  bool extended_ = false;
  End end_ = End::kNot;
};

}  // namespace hooksmtpd::smtp
