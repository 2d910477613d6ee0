// One SMTP session (RFC 5321 §3), without I/O: bytes of the client and verdicts go in, replies and questions come out.
//
// The same object runs under a transcript test, a fuzzer and libevent. What may come when is one table (Rule in
// session.cc). Where policy is needed the session asks its Host, and goes on when answer() is called; pipelined RCPTs
// are questions that may be out together (RFC 2920 §3.2), and their replies still leave in the order of the commands.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proto/mail/verdict.h"
#include "proto/sasl/exchange.h"
#include "proto/smtp/command.h"
#include "proto/smtp/extensions.h"
#include "proto/smtp/host.h"
#include "proto/smtp/settings.h"

namespace hooksmtpd::smtp {

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
  kLimit,    // of errors or commands, or it speaks no SMTP at all
  kHook,     // a hook said so
  kDropped,  // a hook said so, and the client is to be told nothing, not even the end: reset the connection
};

class Session {
 public:
  struct Counts {
    std::uint32_t commands = 0, errors = 0;
    std::uint32_t messages_accepted = 0, messages_refused = 0;
    std::uint32_t recipients_accepted = 0, recipients_refused = 0;
    std::uint32_t chunks = 0;  // of BDAT
  };

  // `host` and `settings` outlive the session. `id` is the prefix of its transactions' ids.
  Session(Host& host, const Settings& settings, Peer peer, std::string id);

  // The connection is open: the greeting, or the questions before it.
  void begin();

  // The connection is encrypted from here on: before begin() on a port with implicit TLS, or after Host::start_tls().
  // Everything that the client said before is forgotten (RFC 3207 §4.2). May ask.
  void secured(TlsFacts facts);

  // Takes bytes of the client and gives how many were used. The rest is either the start of a line, at most
  // kMaxCommandLine octets or, of AUTH and answers to it, kMaxAuthLine, or must wait while waiting() or Host::full()
  // say so; give it again, with what came behind. Once starting_tls() it swallows everything.
  std::size_t receive(std::string_view bytes);

  // The verdict on question `id`. Afterwards give receive() again what it left.
  void answer(QuestionId id, const mail::Verdict& verdict);

  // Says why, unless a handshake is under way, and ends the session.
  void end(Farewell why);

  bool waiting() const { return !slots_.empty(); }  // questions are out
  bool in_data() const { return state_ == State::kData || chunk_.left > 0; }
  bool starting_tls() const { return state_ == State::kStartingTls; }  // from Host::start_tls() to secured()
  bool closed() const { return state_ == State::kClosed; }             // flush the replies and close the connection
  End how_ended() const { return end_; }

  const std::string& id() const { return id_; }
  const Peer& peer() const { return peer_; }         // the one that XCLIENT named, if it did
  const std::string& helo() const { return helo_; }  // empty before HELO
  bool extended() const { return extended_; }        // EHLO or LHLO, not HELO
  bool authenticated() const { return extras_ && extras_->authenticated; }
  std::string_view user() const;  // who that is; empty for nobody, and for a token that names no user
  const TlsFacts* tls() const;    // null: in the clear
  // What RFC 3848 and RFC 6531 §4.3 call it: "SMTP", "ESMTPSA", "LMTPS", "UTF8SMTPS"…; empty before HELO.
  std::string_view protocol() const;
  const Counts& counts() const { return counts_; }
  const Transaction* transaction() const { return transaction_.get(); }
  std::string transaction_id() const;  // of the last MAIL, also while its sender is being judged

 private:
  enum class State : std::uint8_t {
    kGreeting,   // not greeted yet
    kDenied,     // validate_host said no: only QUIT
    kConnected,  // greeted
    kReady,      // said EHLO or HELO
    kAuth,       // answers a challenge
    kMail,       // has a sender
    kRcpt,       // and a recipient
    kChunks,     // and a BDAT that was not the last
    kData,       // message octets come in, up to their end mark
    kStartingTls,
    kClosed,
  };
  struct Rule;

  // A BDAT whose octets come in (RFC 3030 §2). Those of one that is refused are skipped first.
  struct Chunk {
    std::uint64_t left = 0;
    std::string_view refusal{};  // from replies.h or the transaction; empty: it belongs to the message
    std::uint64_t size = 0;
    bool last = false;
    bool ends_message = false;  // a refused one of a message that is under way: the rest of it is worth nothing
  };

  // What most sessions have not.
  struct Extras {
    std::optional<TlsFacts> tls{};
    bool authenticated = false;
    std::string user{};
    std::optional<sasl::Exchange> exchange{};  // while the client answers challenges
    sasl::Mechanism mechanism{};               // of the last AUTH
    std::string claimed_user{};                // who the client said it was then, once the exchange is forgotten
    std::size_t failed_logins = 0;
    std::string auth_refusal{};  // what it hears once it has answered the last one
  };

  // A place in the queue of replies: a question that is out, or a reply that waits for those before it.
  struct Slot {
    QuestionId id = 0;
    std::unique_ptr<Question> question{};  // its address stays: the host may look at it until it is answered
    std::unique_ptr<mail::Verdict> verdict{};
    std::string reply{};  // where there is no question
  };

  // session.cc: lines, the order of commands, and the queue of questions and replies
  std::size_t longest_line(std::string_view start) const;
  void line(std::string_view line, bool too_long);
  void hear(std::string_view line, bool too_long);
  void refuse_line(std::string_view line, std::string_view refusal);
  void command(std::string_view line);
  std::string_view out_of_place(const Rule& rule) const;
  bool may_run_beside_questions(std::string_view line) const;
  Circumstances circumstances() const;
  std::string_view shown_address() const;
  bool only_recipients_are_out() const;
  void begin_client();
  void greet();
  void forget_client();
  void ask(Question question);
  void say(std::string_view wire);
  void emit(std::string_view wire);
  void emit_ready_slots(const mail::Verdict& first);
  void send(std::string_view wire);
  void end(End how, std::string_view farewell);
  void end_by_hook(const mail::Verdict& verdict, std::string_view farewell);
  void close(End how);
  bool ended_by(const mail::Verdict& verdict);

  // session_commands.cc: all that is neither in an envelope nor in a message
  void ehlo(std::string_view arguments);
  void helo(std::string_view arguments);
  void rset(std::string_view arguments);
  void noop(std::string_view arguments);
  void quit(std::string_view arguments);
  void vrfy(std::string_view arguments);
  void expn(std::string_view arguments);
  void help_topic(std::string_view arguments);
  void unknown(std::string_view line);
  void starttls(std::string_view arguments);
  void xclient(std::string_view arguments);
  void answered(const question::Host& asked, const mail::Verdict& verdict);
  void answered(const question::Starttls& asked, const mail::Verdict& verdict);
  void answered(const question::Helo& asked, const mail::Verdict& verdict);
  void answered(const question::Command& asked, const mail::Verdict& verdict);
  void hello(std::string_view verb, std::string_view arguments);
  void introduce(const question::Helo& hello);

  // session_auth.cc
  void auth(std::string_view arguments);
  void auth_response(std::string_view line);
  void auth_step(const sasl::Step& step);
  void authenticated_as(const std::string& user);
  void refuse_auth(std::string_view reply, const std::string& final_challenge);
  void end_auth(std::string_view reply);
  void answered(const question::Auth& asked, const mail::Verdict& verdict);

  // session_envelope.cc
  void mail(std::string_view arguments);
  void rcpt(std::string_view arguments);
  void answered(const question::Sender& asked, const mail::Verdict& verdict);
  void answered(const question::Recipient& asked, const mail::Verdict& verdict);
  void begin_transaction(const question::Sender& sender);
  std::size_t recipients_room() const;
  void add_recipient(mail::Recipient recipient);
  void recipient_named(bool kept);
  void refuse_recipient(std::string_view reply);
  void forget_transaction(TransactionEnd why);
  void add_headers(const mail::Verdict& verdict);

  // session_message.cc
  void data(std::string_view arguments);
  void bdat(std::string_view arguments);
  void skip_chunk(std::string_view arguments, std::string_view refusal);
  void take_chunk(const command::Bdat& bdat);
  void begin_chunk(const command::Bdat& bdat, std::string_view refusal);
  void end_of_chunk();
  void fail_message(std::string_view reply);
  void start_data();
  void begin_message();
  void end_of_message();
  std::size_t receive_data(std::string_view bytes);
  std::size_t receive_chunk(std::string_view bytes);
  bool data_is_judged() const;
  bool message_wanted() const;
  std::string_view doom() const;
  std::string reply_to_message(const mail::Verdict& verdict) const;
  void answered(const question::Data& asked, const mail::Verdict& verdict);
  void answered(const question::Message& asked, const mail::Verdict& verdict);
  void end_transaction(std::string_view reply, TransactionEnd refused, std::span<const std::string> each = {});

  Host& host_;
  const Settings& settings_;
  Peer peer_;
  std::string id_;
  std::string helo_;
  std::unique_ptr<Transaction> transaction_;
  std::unique_ptr<Extras> extras_;
  std::vector<Slot> slots_;
  Chunk chunk_;
  Counts counts_;
  QuestionId last_question_ = 0;
  std::uint32_t transactions_ = 0;
  std::uint32_t skipped_ = 0;  // octets of an over-long line that were thrown away
  State state_ = State::kGreeting;
  bool extended_ = false;
  bool after_auth_ = false;  // no command came since AUTH: what is none may be meant as an answer to it
  End end_ = End::kNot;
};

}  // namespace hooksmtpd::smtp
