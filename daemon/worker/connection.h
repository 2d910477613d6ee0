// One client: a socket, the Session that talks to it, and nothing else while it is idle.

#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/sys/fd.h"
#include "daemon/worker/body.h"
#include "daemon/worker/deadlines.h"
#include "daemon/worker/dispatcher.h"
#include "daemon/worker/generation.h"
#include "proto/hook/request.h"
#include "proto/smtp/session.h"

namespace hooksmtpd::worker {

class Clients;
struct Listener;

class Connection final : public smtp::Host, public Client, public Deadline {
 public:
  struct Start {
    sys::Fd socket;
    smtp::Peer peer;
    const Listener& listener;
    std::uint64_t number;
    std::string id;
    bool counted;  // among those of its address
  };
  Connection(Clients& clients, GenerationPtr generation, Start start);
  ~Connection();

  void begin();
  void time_is_up();
  // Says 421 and closes.
  void shut_down();

  int socket() const { return socket_.get(); }
  bool counted() const { return counted_; }
  const smtp::Session& session() const override { return session_; }
  const GenerationPtr& generation() const override { return generation_; }
  std::uint64_t number() const override { return number_; }
  hook::SessionFacts facts() const override;
  std::unique_ptr<Body> take_body() override { return std::move(body_); }
  void answer(smtp::QuestionId question, const mail::Verdict& verdict) override;

 private:
  // smtp::Host
  void reply(std::string_view wire) override;
  void ask(smtp::QuestionId id, const smtp::Question& question) override;
  void transaction_over(const smtp::Transaction& transaction, std::string_view reply) override;
  void body_doomed() override { body_.reset(); }
  bool full() override;
  void body(std::string_view run) override;
  smtp::Now now() override;
  bool tls_available() override { return false; }
  void start_tls() override {}
  std::string nonce() override;

  static void on_event(evutil_socket_t, short what, void* self) noexcept;
  void readable();
  void linger();
  void feed(std::string_view bytes);
  void settle();
  void stop_asking();
  bool send_and_go_on();
  bool send_replies();
  void watch();
  void set_deadline();
  void close(hook::EndReason reason);

  Clients& clients_;
  GenerationPtr generation_;
  sys::Fd socket_;
  const Listener& listener_;
  std::uint64_t number_;
  bool counted_;
  std::uint64_t bytes_received_ = 0, bytes_sent_ = 0;
  Deadline::TimePoint begun_;
  event event_;
  std::string input_;   // what the session left: the start of a line, or what waits for a verdict
  std::string output_;  // what the socket did not take
  std::unique_ptr<Body> body_;
  smtp::Session session_;
  short watched_ = 0;       // EV_READ, EV_WRITE
  bool at_end_ = false;     // the client will send nothing more
  bool lingering_ = false;  // we have said the last word; what still comes is thrown away
  bool closed_ = false;
  bool command_begun_ = false;  // the deadline is that of a command line
  bool progress_ = false;       // the session took something in this turn
  bool full_ = false;           // and stopped, as its replies had piled up
  std::size_t questions_ = 0;   // that are with the dispatcher
  hook::EndReason reason_ = hook::EndReason::kLost;
};

}  // namespace hooksmtpd::worker
