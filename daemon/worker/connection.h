// One client: a stream, the Session that talks to it, and nothing else while it is idle.

#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/worker/address_counts.h"
#include "daemon/worker/arrival.h"
#include "daemon/worker/body.h"
#include "daemon/worker/client.h"
#include "daemon/worker/deadlines.h"
#include "daemon/worker/dialogue.h"
#include "daemon/worker/dispatcher.h"
#include "daemon/worker/generation.h"
#include "daemon/worker/notes.h"
#include "daemon/worker/stream.h"
#include "proto/hook/request.h"
#include "proto/smtp/session.h"

namespace hooksmtpd::worker {

class Clients;

class Connection final : public smtp::Host, public Client, public Deadline {
 public:
  struct Start {
    Arrival arrival;
    std::uint64_t number;
    std::string id;
    AddressCounts::Place place;  // among those of its address
  };
  Connection(Clients& clients, GenerationPtr generation, const Policy& policy, Start start);
  ~Connection();

  void begin();
  void time_is_up();
  // Says 421 and closes.
  void shut_down();

  int socket() const { return stream_.socket(); }
  const smtp::Session& session() const override { return session_; }
  const GenerationPtr& generation() const override { return generation_; }
  const Policy& policy() const override { return policy_; }
  std::uint64_t number() const override { return number_; }
  const SnapshotPtr& snapshot() override;
  std::unique_ptr<Body> take_body() override;
  Notes& notes() override { return notes_; }
  const Notes& notes() const override { return notes_; }
  mail::AddedSize& added() override { return added_; }
  void hook_said(const HookEntry& entry) override;
  void answer(smtp::QuestionId question, const mail::Verdict& verdict) override;

 private:
  enum class Stage : std::uint8_t {
    kHandshake,  // of TLS: before the session begins, or in its midst
    kSession,
    kLingering,  // we have said the last word; what still comes is thrown away
    kClosed,
  };

  // smtp::Host
  void reply(std::string_view wire) override;
  void ask(smtp::QuestionId id, const smtp::Question& question) override;
  void transaction_over(const smtp::Transaction& transaction, std::string_view reply,
                        smtp::TransactionEnd why) override;
  void body_doomed() override { body_.reset(); }
  bool full() override;
  bool listening() const override;
  void heard(std::string_view line) override;
  void heard_data(std::uint64_t octets) override;
  void auth_over(sasl::Mechanism mechanism, std::string_view user, std::string_view reply) override;
  void body(std::string_view run) override;
  smtp::Now now() override;
  bool tls_available() override;
  void start_tls() override {}  // settle() sees that the session waits for it
  std::string nonce() override;

  static void on_event(evutil_socket_t, short what, void* self) noexcept;
  void start_handshake();
  void shake_hands();
  void handshake_failed(std::string_view reason, hook::EndReason how);
  bool wants_input() const;
  void read_some();
  void feed(std::string_view bytes);
  void settle();
  void stop_asking();
  bool send_and_go_on();
  bool send_replies();
  void watch();
  void watch_for(short wanted);
  void set_deadline();
  void set_deadline(std::chrono::milliseconds limit);
  void linger();
  void lost();
  void drop();
  void close(hook::EndReason reason);
  void transaction_lost();
  void over(const smtp::Transaction& transaction, std::string_view reply);
  SinceBegin since_begin() const;
  sys::About about() const { return {.session = session_.id()}; }
  TracedSession traced() const;
  void remember(const smtp::Transaction& transaction);

  Clients& clients_;
  GenerationPtr generation_;
  const Policy& policy_;      // of generation_
  GenerationPtr secured_by_;  // whose certificates the stream shows; outlives it
  Stream stream_;
  const Listener& listener_;
  std::uint64_t number_;
  AddressCounts::Place place_;
  std::string proxy_;
  std::uint64_t bytes_received_ = 0, bytes_sent_ = 0;
  Deadline::TimePoint begun_;
  event event_;
  std::string input_;   // what the session left: the start of a line, or what waits for a verdict
  std::string output_;  // what the socket did not take
  std::unique_ptr<Body> body_;
  Notes notes_;
  SnapshotPtr snapshot_;  // null: no hook was asked yet
  mail::AddedSize added_;
  std::unique_ptr<Dialogue> dialogue_;  // if a hook wants it with disconnect
  std::string subject_;                 // of the message that is being judged
  smtp::Session session_;
  short watched_ = 0;  // EV_READ, EV_WRITE
  Stage stage_ = Stage::kSession;
  bool begun_session_ = false;
  bool delivering_ = false;     // the message of the transaction is with the dispatcher
  bool at_end_ = false;         // the client will send nothing more
  bool command_begun_ = false;  // the deadline is that of a command line
  bool progress_ = false;       // the session took something in this turn
  bool full_ = false;           // and stopped, as its replies had piled up
  bool yielded_ = false;        // and stopped, as it had checked a password: others have their turn first
  // The event of the socket for which the stream waits to read; with TLS that may be EV_WRITE, and the other way round.
  short reads_on_ = EV_READ, writes_on_ = EV_WRITE;
  std::size_t questions_ = 0;  // that are with the dispatcher
  hook::EndReason reason_ = hook::EndReason::kLost;
};

}  // namespace hooksmtpd::worker
